"""`python -m loadtests SCENARIO`: a scenario with the terms of its profile, and a report folder.

It starts locust and shows the command; what stands behind `--` is handed on. `python -m loadtests
trust FOLDER` makes the key that tokens are signed with, and says how Edge comes to trust it;
`python -m loadtests compare BEFORE AFTER` holds reports of two versions against each other.
"""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from loadtests.compare import compare
from loadtests.issuer import make_issuer
from loadtests.terms import Terms, TermsError, read_terms, refuse
from loadtests.trust import edge_settings

_HERE: Final = Path(__file__).parent
SCENARIOS: Final = sorted(
    file.stem for file in (_HERE / "scenarios").glob("*.py") if file.stem != "__init__"
)


def main(arguments: Sequence[str]) -> None:
    own, more = _split(arguments)
    options = _parser().parse_args(own)
    try:
        match options.scenario:
            case "trust":
                _trust(Path(options.folder))
            case "compare":
                print(compare(Path(options.before), Path(options.after)))
            case _:
                _run(options, more)
    except (OSError, TermsError, ValueError) as error:
        refuse(error)


def _trust(folder: Path) -> None:
    file = make_issuer(folder)
    print(f"LOADTEST_ISSUER_KEY={file}")
    for name, text in edge_settings(file.parent / "jwks.json").items():
        print(f"{name}={shlex.quote(text)}")


def _run(options: argparse.Namespace, more: Sequence[str]) -> NoReturn:
    terms = read_terms(Path(options.slo), options.profile, options.scenario)
    if not terms.objectives:  # nothing to miss, perhaps by a slip in the name
        message = f"there are no objectives for {options.profile}.{options.scenario}"
        raise TermsError([f"{Path(options.slo).name}: {message}"])
    command = locust_command(options, terms, more)
    print(shlex.join(command), flush=True)
    os.chdir(_HERE.parent)
    os.execv(sys.executable, command)  # noqa: S606  # its exit code is ours


def locust_command(options: argparse.Namespace, terms: Terms, more: Sequence[str]) -> list[str]:
    """Give the whole command; what is in `more` overrules the rest."""
    command = [sys.executable, "-m", "locust", "-f", f"loadtests/scenarios/{options.scenario}.py"]
    command += ["--profile", options.profile, "--slo", options.slo]
    if options.worker:
        return [*command, "--worker", "--master-host", options.worker, *more]
    command += ["--users", str(terms.users), "--spawn-rate", str(terms.users)]
    command += ["--run-time", f"{terms.run_time_s}s"]
    if options.web:
        command += ["--web-host", "127.0.0.1"]  # the page lets anybody load anything
    else:
        command += _headless(_report_folder(options.report, options.scenario))
    return [*command, *more]


def _headless(folder: Path) -> list[str]:
    """Let locust write what it has beside the verdict, and say little meanwhile.

    Raises:
        OSError: nothing can be written there, which is better known before an hour of load.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        message = f"{folder} cannot be written to"
        raise PermissionError(message)
    quiet = ["--headless", "--only-summary", "--loglevel", "WARNING"]
    page = ["--html", str(folder / "locust.html"), "--json-file", str(folder / "locust")]
    return [*quiet, "--report", str(folder), *page, "--csv", str(folder / "locust")]


def _report_folder(report: str, scenario: str) -> Path:
    if report:
        return Path(report).absolute()
    moment = time.strftime("%Y%m%d-%H%M%S")
    return _HERE.parent / ".loadtest" / f"{scenario}-{moment}"


def _split(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Divide at `--`."""
    place = list(arguments).index("--") if "--" in arguments else len(arguments)
    return arguments[:place], arguments[place + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__)
    commands = parser.add_subparsers(dest="scenario", required=True, metavar="SCENARIO")
    trust = commands.add_parser("trust", help="make a key for the tokens")
    trust.add_argument("folder")
    versions = commands.add_parser("compare", help="two folders with reports, side by side")
    versions.add_argument("before")
    versions.add_argument("after")
    for name in SCENARIOS:
        scenario = commands.add_parser(name)
        scenario.add_argument("--profile", default="ci", help="of slo.toml (ci)")
        scenario.add_argument("--slo", default=str(_HERE / "slo.toml"), help="another slo.toml")
        scenario.add_argument("--report", default="", help="another folder for the report")
        scenario.add_argument(
            "--worker", default="", metavar="HOST", help="work for the master there"
        )
        scenario.add_argument("--web", action="store_true", help="locust's web page, not headless")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
