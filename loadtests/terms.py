"""`slo.toml`: by profile and scenario, what is run and what has to hold; all errors at once.

```toml
[ci]                        # terms for all scenarios of the profile
run_time_s = 60
[ci.steady_verify]          # terms for one
users = 5
[ci.steady_verify.verify]   # objectives for a name in the statistics
p50_ms = "3 * floor + 5"
```
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, get_args

ShapeName = Literal["constant", "ramp", "spike", "step", "soak", "day"]

_FORMULA: Final = re.compile(
    r"(?P<factor>\d+(\.\d+)?) ?\* ?floor( ?\+ ?(?P<more>\d+(\.\d+)?))?|(?P<fixed>\d+(\.\d+)?)"
)
_PERCENTILE: Final = re.compile(r"p([1-9]\d{1,3})_ms")


@dataclass(frozen=True)
class Bound:
    """A number, or a multiple of the floor and some more."""

    fixed: float
    factor: float = 0.0

    def at(self, floor: float) -> float:
        return self.factor * floor + self.fixed


@dataclass(frozen=True)
class Objective:
    """One row of the verdict: `what` is a percentile as `p99_ms`, or a ratio."""

    name: str
    what: str
    bound: Bound

    @property
    def share(self) -> float | None:
        """Of a percentile, the share that it is of; else None."""
        found = _PERCENTILE.fullmatch(self.what)
        return int(found[1]) / 10 ** len(found[1]) if found else None


@dataclass(frozen=True)
class Terms:
    """What a run is like, when it is valid, and what may be wrong in it.

    `users` and `run_time_s` may be overruled on the command line. A generator is saturated where
    1 % of its requests start `start_lag_p99_ms` late, or it uses `generator_cpu` of its core.
    `max_drift` is by how much the last third of a soak may exceed the one before; `recovery_s` how
    long after a fault clients may notice.
    """

    users: int = 10
    run_time_s: int = 60
    warm_up_s: int = 0
    shape: ShapeName = "constant"
    min_requests: int = 1
    start_lag_p99_ms: float = 100.0
    generator_cpu: float = 0.9
    max_wrong: int = 0
    max_drift: float = 1.5
    recovery_s: float = 5.0
    objectives: tuple[Objective, ...] = field(default=())


class TermsError(Exception):
    """Everything that is wrong with the file."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def refuse(error: Exception) -> NoReturn:
    """End for a command that is wrong: 2, since 1 is for objectives that were missed."""
    print(error, file=sys.stderr)
    sys.exit(2)


def read_terms(path: Path, profile: str, scenario: str) -> Terms:
    """Give the terms of a scenario in a profile; one that is not named has those of the profile.

    Raises:
        TermsError: something in the file is wrong, anywhere in it, or it has no such profile.
    """
    try:
        whole = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TermsError([f"{path.name}: {error}"]) from error
    problems = list(_problems(whole))
    if profile not in whole:
        problems.append(f"there is no profile {profile}, only {', '.join(sorted(whole))}")
    if problems:
        raise TermsError(problems)
    return _terms(whole[profile], whole[profile].get(scenario, {}))


def _terms(profile: Mapping[str, Any], scenario: Mapping[str, Any]) -> Terms:
    merged = {**profile, **scenario}
    plain = {key: value for key, value in merged.items() if not isinstance(value, dict)}
    objectives = [
        Objective(name, what, _bound(bound))
        for name, table in scenario.items()
        if isinstance(table, dict)
        for what, bound in table.items()
    ]
    return replace(Terms(**plain), objectives=tuple(objectives))


def _problems(whole: Mapping[str, Any]) -> Iterator[str]:
    for profile, content in whole.items():
        if not isinstance(content, dict):
            yield f"{profile} is no profile"
            continue
        yield from _wrong_terms(profile, content)
        for scenario, table in _tables(content):
            yield from _wrong_terms(f"{profile}.{scenario}", table)
            for name, objectives in _tables(table):
                yield from _wrong_objectives(f"{profile}.{scenario}.{name}", objectives)


def _tables(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, table) for name, table in content.items() if isinstance(table, dict))


def _wrong_terms(place: str, content: Mapping[str, Any]) -> Iterator[str]:
    known = {one.name: one.default for one in fields(Terms) if one.name != "objectives"}
    for key, value in content.items():
        if isinstance(value, dict):
            continue
        if key not in known:
            yield f"{place}: there is no {key}, only {', '.join(known)}"
        elif key == "shape":
            if value not in get_args(ShapeName):
                yield f"{place}: shape is one of {', '.join(get_args(ShapeName))}, not {value!r}"
        elif not _is_number(value) or (isinstance(known[key], int) and isinstance(value, float)):
            kind = "whole number" if isinstance(known[key], int) else "number"
            yield f"{place}: {key} is a {kind}, not negative, not {value!r}"


def _wrong_objectives(place: str, table: Mapping[str, Any]) -> Iterator[str]:
    for what, bound in table.items():
        if what not in ("error_ratio", "achieved_ratio") and not _PERCENTILE.fullmatch(what):
            yield f"{place}: {what} is no percentile such as p99_ms, error_ratio or achieved_ratio"
        elif not _is_number(bound) and not (
            isinstance(bound, str) and _FORMULA.fullmatch(bound.strip())
        ):
            yield f"{place}: {what} is a number or as in '3 * floor + 5', not {bound!r}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _bound(value: float | str) -> Bound:
    if not isinstance(value, str):
        return Bound(float(value))
    found = _FORMULA.fullmatch(value.strip())
    assert found is not None  # noqa: S101  # the file was checked
    if found["fixed"]:
        return Bound(float(found["fixed"]))
    return Bound(float(found["more"] or 0), float(found["factor"]))
