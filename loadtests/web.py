"""The verdict on locust's own web page: a tab beside its statistics, and `/verdict` as JSON."""

import json
from typing import Any, Final

from flask import Response, jsonify, request
from locust.web import WebUI

from loadtests.facts import run_of
from loadtests.reports import as_json
from loadtests.session import Session
from loadtests.verdict import judge

_KEY: Final = "verdict"
_COLUMNS: Final = {
    "state": "",
    "kind": "Kind",
    "what": "What",
    "wanted": "Wanted",
    "found": "Found",
}


def add_verdict(web_ui: WebUI, session: Session) -> None:
    """Show what the verdict would be if the test ended now; after it, what it is."""
    app = web_ui.app
    assert app is not None  # noqa: S101  # it is made with the page
    columns = [{"key": key, "title": title} for key, title in _COLUMNS.items()]
    web_ui.template_args["extended_tabs"] = [{"title": "Verdict", "key": _KEY}]
    web_ui.template_args["extended_tables"] = [{"key": _KEY, "structure": columns}]

    def with_verdict(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json:
            document: dict[str, Any] = response.get_json()
            rows = _rows(session)
            response.set_data(
                json.dumps({**document, "extended_stats": [{"key": _KEY, "data": rows}]})
            )
        return response

    def verdict() -> Response:
        run = run_of(session)
        return jsonify(as_json(run, judge(run, session.terms)))

    app.after_request(with_verdict)
    app.add_url_rule("/verdict", "loadtest_verdict", web_ui.auth_required_if_enabled(verdict))


def _rows(session: Session) -> list[dict[str, str]]:
    verdict = judge(run_of(session), session.terms)
    outcome = verdict.outcome.name.replace("_", " ").lower()
    whole = {"what": outcome, "kind": "verdict" if session.stopped_s else "so far"}
    lines = [
        {
            "state": "ok" if line.holds else "NO",
            "kind": line.kind,
            "what": line.what,
            "wanted": line.wanted,
            "found": line.found,
        }
        for line in verdict.lines
    ]
    return [
        {"state": "ok" if not verdict.outcome else "NO", "wanted": "", "found": "", **whole},
        *lines,
    ]
