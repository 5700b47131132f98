"""`edge-bench selftest`: can the gate be trusted on this machine?"""

from random import Random
from typing import Final

import click

from benchmarks.commands.run import THIS_TREE
from benchmarks.harness.admission import NewCaseError
from benchmarks.harness.errors import PreparationError
from benchmarks.harness.machine import Cpus
from benchmarks.harness.plan import PLANS
from benchmarks.harness.process import CaseError
from benchmarks.harness.progress import shown
from benchmarks.harness.registry import read_cases
from benchmarks.harness.selftesting import Measurements, Selftest, figures, told
from benchmarks.selection import some, to_compare
from benchmarks.verdicts import ExitCode

_PAIRS: Final = 40
_FEWEST_PAIRS: Final = 4  # fewer show nothing when they are drawn from
_SEED: Final = 20251124  # of the draws: the same pairs give the same figures


@click.command()
@click.option(
    "--pairs",
    default=_PAIRS,
    show_default=True,
    type=click.IntRange(_FEWEST_PAIRS),
    help="Pairs of processes for each case.",
)
@click.pass_context
def selftest(context: click.Context, pairs: int) -> None:
    """Say whether `compare` can be trusted here.

    It measures equal code against itself, and against the same made 5 % slower. From these pairs it
    plays 1000 comparisons of ten cases and counts how often the rules give a false alarm, and how
    often they find what is slower. Exit code 4: more than one false alarm in 100, or fewer than 95
    in 100 found.
    """
    measured = _measure(pairs)
    result = figures(measured, Random(_SEED))
    click.echo(told(measured, result))
    context.exit(ExitCode.OK if result.is_good else ExitCode.INVALID)


def _measure(pairs: int) -> Measurements:
    cpus = Cpus()
    chosen = to_compare(read_cases(THIS_TREE), expression=None, is_quick=True, is_all=False)
    with shown() as progress:
        test = Selftest(THIS_TREE, plans=PLANS, cpus=cpus, progress=progress)
        try:
            return test.measure(some(chosen, None), pairs)
        except (CaseError, NewCaseError) as error:
            message = f"a case fails: {error}"
            raise PreparationError(message) from error
