"""What a load test is told on the command line or in the environment."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Final, get_args

from locust.argument_parser import LocustArgumentParser

from loadtests.terms import ShapeName

_HERE: Final = Path(__file__).parent


def add_options(parser: LocustArgumentParser) -> None:
    group = parser.add_argument_group("Load tests of Edge")
    add = group.add_argument
    add("--slo", env_var="LOADTEST_SLO", default=str(_HERE / "slo.toml"), help="objectives")
    add("--report", env_var="LOADTEST_REPORT", default="", help="folder for the verdict")
    add("--shape", choices=get_args(ShapeName), default=None, help="how the load goes")
    add("--rate-scale", type=_positive, default=1.0, help="times the rate of every user")
    add("--warm-up-s", type=float, default=None, help="seconds that do not count")
    add("--settle-s", type=float, default=3.0, help="seconds at the start of a step to leave out")
    add("--steps", type=_count, default=10, help="steps up to all users, of the shape step")
    add("--tokens", env_var="LOADTEST_TOKENS", type=_count, default=64_000, help="distinct tokens")
    add("--issuer-key", env_var="LOADTEST_ISSUER_KEY", default="", help="file with the key")
    add("--audience", env_var="LOADTEST_AUDIENCE", default="edge", help="aud of the tokens")
    add("--nginx-url", env_var="LOADTEST_NGINX_URL", default="", help="nginx that asks this Edge")
    add("--accounts", type=_count, default=20, help="accounts that log in")
    add("--mischief", type=float, default=0.02, help="share of refreshes doubled or replayed")
    add("--limit", type=_count, default=600, help="what a key may ask in a window")
    add("--limit-window-s", type=_positive, default=60.0, help="seconds of the window")
    add("--fault-every-s", type=_positive, default=10.0, help="seconds between LOADTEST_FAULTS")
    add(
        "--watch-pids",
        env_var="LOADTEST_WATCH_PIDS",
        type=_pids,
        default="",
        help="processes of Edge here",
    )


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        message = f"{text} is not more than 0"
        raise ArgumentTypeError(message)
    return number


def _count(text: str) -> int:
    number = int(text)
    _positive(text)
    return number


def _pids(text: str) -> str:
    """Check them here: nobody hears of an error while the test runs."""
    if not all(pid.isdecimal() for pid in text.split(",") if pid):
        message = f"{text} is not numbers with commas"
        raise ArgumentTypeError(message)
    return text
