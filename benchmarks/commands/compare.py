"""`edge-bench compare`: is head slower than base?"""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from benchmarks.case import MARGINS, Kind
from benchmarks.commands.options import expression_option
from benchmarks.commands.percent import Percent
from benchmarks.harness.comparing import Contest, Settings
from benchmarks.harness.control import Control
from benchmarks.harness.errors import UsageError
from benchmarks.harness.git import Repository
from benchmarks.harness.inject import INJECT, factors
from benchmarks.harness.machine import Cpus, Watch
from benchmarks.harness.outcome import without_pairs
from benchmarks.harness.plan import PLANS, quick
from benchmarks.harness.progress import counted, shown
from benchmarks.harness.protocol import Described
from benchmarks.harness.sides import Asked, Sides, own_folder, prepare
from benchmarks.outputs import Outputs, output_options
from benchmarks.results import CaseResult, Comparison, Environment, Verdict
from benchmarks.selection import some, to_compare
from benchmarks.statistics import FEWEST_PAIRS, SCREEN_PAIRS
from benchmarks.verdicts import exit_code, whole

_QUICK_PAIRS: Final = 4


class Options(msgspec.Struct, frozen=True):
    """What was asked for."""

    base: str | None
    head: str | None
    expression: str | None
    is_quick: bool
    is_all: bool
    pairs: int | None
    confirm: int | None
    margin: float | None
    target: float | None
    strict: bool
    allow_removed: bool
    python: str | None

    def settings(self, slower: Mapping[str, float]) -> Settings:
        """Give how to measure."""
        return Settings(
            screen_pairs=self.pairs or (_QUICK_PAIRS if self.is_quick else SCREEN_PAIRS),
            confirm_pairs=self.confirm,
            has_confirmation=not self.is_quick,
            allowed=self.margin,
            target=self.target,
            slower=slower,
            plans={kind: quick(plan) for kind, plan in PLANS.items()} if self.is_quick else PLANS,
        )

    def choose(self, cases: Sequence[Described]) -> list[Described]:
        """Give the cases that are meant."""
        return to_compare(
            cases, expression=self.expression, is_quick=self.is_quick, is_all=self.is_all
        )


@click.command()
@click.argument("base", required=False)
@click.argument("head", required=False)
@expression_option
@click.option(
    "--quick",
    "is_quick",
    is_flag=True,
    help="Ten cases in under a minute, or those of -k: a screen without confirmation.",
)
@click.option("--all", "is_all", is_flag=True, help="All cases, not only the core.")
@click.option(
    "--pairs",
    type=click.IntRange(FEWEST_PAIRS),
    help=f"Pairs of processes of the screen [{SCREEN_PAIRS}].",
)
@click.option(
    "--confirm",
    type=click.IntRange(FEWEST_PAIRS),
    help="Pairs of the confirmation [12, or 20 if they scatter].",
)
@click.option("--margin", type=Percent(), help="What may change [2%, with stores and servers 3%].")
@click.option(
    "--target", type=Percent(), help="What must not be missed [5%, with stores and servers 8%]."
)
@click.option("--strict", is_flag=True, help="End with 4 where a case is inconclusive.")
@click.option("--allow-removed", is_flag=True, help="Cases that head no longer has are no failure.")
@click.option(
    "--python",
    metavar="PATH",
    help="Measure both sides with this Python and its packages; install nothing.",
)
@output_options
@click.pass_context
def compare(context: click.Context, /, outputs: Outputs, **given: object) -> None:
    """Say whether HEAD is slower than BASE.

    Without HEAD it is the working tree, with all that is uncommitted and untracked. Without BASE it
    is the commit that this work started from: where the branch left main, or, where CI checked out
    the merge of a pull request, the main that it was merged into.

    The core of the cases is measured. Exit codes: 0 not slower, 1 slower, 3 a case failed or is
    missing, 4 the machine was too noisy to tell.
    """
    options = msgspec.convert(given, Options)
    _refuse_contradictions(options)
    result = _compare(options)
    outputs.write(result)
    context.exit(exit_code(result.verdict, is_strict=options.strict))


def _refuse_contradictions(options: Options) -> None:
    options.choose([])  # reads -k
    if options.is_quick and (options.is_all or options.confirm):
        message = "--quick is for few cases and confirms nothing: no --all, no --confirm with it"
        raise UsageError(message)
    target = options.target or MARGINS[Kind.MICRO].target
    if options.margin and options.margin >= target:
        message = "--margin has to be less than --target, which is 5% without"
        raise UsageError(message)


def _compare(options: Options) -> Comparison:
    slower = _injected()
    watch, cpus, repository = Watch(), Cpus(), Repository(Path.cwd())
    asked = Asked(base=options.base, head=options.head, python=options.python)
    with own_folder(repository) as folder, shown() as progress:
        sides = prepare(repository, folder, asked, progress.say)
        cases = some(options.choose(sides.cases), options.expression)
        _refuse_unmeasured(slower, cases)
        progress.say(_told(sides, cases, options, cpus))
        settings = options.settings(slower)
        contest = Contest(
            sides.base,
            sides.head,
            sides.cases,
            known_to_base=sides.known_to_base,
            settings=settings,
            cpus=cpus,
            progress=progress,
        )
        results, control = contest.compare(cases)
    environment = watch.environment(python=platform.python_version(), pinned=cpus.can_pin)
    return _comparison(options, sides, results, control, environment)


def _injected() -> Mapping[str, float]:
    try:
        return factors(os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _refuse_unmeasured(slower: Mapping[str, float], cases: Sequence[Described]) -> None:
    """Refuse to make a case slower that is not measured: all would be well, and nothing seen."""
    unmeasured = slower.keys() - {case.id for case in cases}
    if unmeasured:
        message = f"{INJECT} names what is not measured here: {', '.join(sorted(unmeasured))}"
        raise UsageError(message)


def _told(sides: Sides, cases: Sequence[Described], options: Options, cpus: Cpus) -> str:
    """Say what is measured, and what is less about it than there could be."""
    base, head = sides.about_base, sides.about_head
    lines = [f"{counted(len(cases), 'case')}: {base.name} ({base.commit[:9]}) against {head.name}"]
    if options.is_quick:
        lines.append("Screen only: a suspicion is not confirmed on fresh processes.")
    if not cpus.can_pin:
        lines.append("Processes cannot be kept on a CPU here: margins are three times as wide.")
    return "\n".join(lines)


def _comparison(
    options: Options,
    sides: Sides,
    results: list[CaseResult],
    control: Control,
    environment: Environment,
) -> Comparison:
    removed = [
        without_pairs(case, Verdict.REMOVED, is_gated=not options.allow_removed)
        for case in options.choose(sides.removed)
    ]
    verdicts = {result.id: result.verdict for result in (*results, *removed) if result.gated}
    expected = {case.id for case in options.choose(sides.cases)}
    return Comparison(
        verdict=whole(verdicts, expected, is_control_off=control.is_off),
        quick=options.is_quick,
        environment=environment,
        base=sides.about_base,
        head=sides.about_head,
        control=control.results(),
        cases=[*results, *removed],
        dependencies=sides.dependencies,
    )
