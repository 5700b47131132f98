"""`edge-bench run`: how long operations take here, beside their floors and peers."""

import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from benchmarks.commands.options import expression_option
from benchmarks.harness import environments, reporting
from benchmarks.harness.errors import PreparationError
from benchmarks.harness.git import WORKING_TREE, Repository
from benchmarks.harness.machine import Cpus, Watch
from benchmarks.harness.plan import PLANS, quick
from benchmarks.harness.process import Tree
from benchmarks.harness.progress import counted, shown
from benchmarks.harness.protocol import Described
from benchmarks.harness.registry import read_cases
from benchmarks.harness.running import Found, Survey
from benchmarks.harness.team import HEAD
from benchmarks.outputs import Outputs, output_options
from benchmarks.results import Environment, Report, Side
from benchmarks.selection import some, to_run
from benchmarks.statistics import FEWEST_PAIRS
from benchmarks.verdicts import ExitCode

THIS_TREE: Final = Tree(HEAD, sys.executable, Path(__file__).resolve().parents[2])

_ROUNDS: Final = 5
_QUICK_ROUNDS: Final = 3


class Options(msgspec.Struct, frozen=True):
    """What was asked for."""

    expression: str | None
    is_quick: bool
    rounds: int | None


@click.command()
@expression_option
@click.option(
    "--quick", "is_quick", is_flag=True, help="Ten cases, or those of -k, in fewer rounds."
)
@click.option(
    "--rounds", type=click.IntRange(FEWEST_PAIRS), help=f"Processes for each case [{_ROUNDS}]."
)
@output_options
@click.pass_context
def run(context: click.Context, /, outputs: Outputs, **given: object) -> None:
    """Measure the cases beside floors and peers.

    Each takes turns with its own. It says how things are and judges nothing. Times move with the
    machine, ratios less; whether a change made something slower is what `compare` tells. Exit code
    3: a case failed.
    """
    options = msgspec.convert(given, Options)
    result = _run(options)
    outputs.write(result)
    failed = any(case.error for case in result.cases)
    context.exit(ExitCode.FAILED if failed else ExitCode.OK)


def _run(options: Options) -> Report:
    watch, cpus = Watch(), Cpus()
    registry = read_cases(THIS_TREE)
    _refuse_unknown_references(registry)
    chosen = to_run(registry, expression=options.expression, is_quick=options.is_quick)
    cases = some(chosen, options.expression)
    plans = {kind: quick(plan) for kind, plan in PLANS.items()}
    rounds = options.rounds or (_QUICK_ROUNDS if options.is_quick else _ROUNDS)
    with shown() as progress:
        progress.say(f"{counted(len(cases), 'case')} in {rounds} rounds, each in a fresh process")
        survey = Survey(THIS_TREE, registry, plans=plans, cpus=cpus, progress=progress)
        found = survey.measure(cases, rounds)
    environment = watch.environment(python=platform.python_version(), pinned=cpus.can_pin)
    return _report(found, registry, environment)


def _refuse_unknown_references(registry: Sequence[Described]) -> None:
    known = {case.id for case in registry}
    unknown = {reference for case in registry for reference in case.of} - known
    if unknown:
        message = f"cases are compared with what does not exist: {', '.join(sorted(unknown))}"
        raise PreparationError(message)


def _report(found: Found, registry: Sequence[Described], environment: Environment) -> Report:
    return Report(
        environment=environment,
        side=_this_side(),
        cases=reporting.measured(found, registry),
        ratios=reporting.ratios(found),
        growth=reporting.growth(found, registry),
    )


def _this_side() -> Side:
    repository = Repository(THIS_TREE.path)
    lock = environments.lock_of(THIS_TREE.path, THIS_TREE.path)
    return Side(
        name=WORKING_TREE,
        commit=repository.commit("HEAD"),
        dirty=repository.is_dirty(),
        lock=environments.digest_of(THIS_TREE.path / lock),
    )
