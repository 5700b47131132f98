"""`edge-bench list`: which cases there are."""

import click
import msgspec

from benchmarks.case import MARGINS
from benchmarks.commands.options import expression_option
from benchmarks.commands.run import THIS_TREE
from benchmarks.harness.protocol import Described
from benchmarks.harness.registry import read_cases
from benchmarks.selection import matching, some


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
@expression_option
def list_cases(*, as_json: bool, expression: str | None) -> None:
    """List the cases.

    `core` is what `compare` measures, `quick` the part of it for --quick, `margin` what may change,
    `beside` the floors and peers that a case takes turns with in `run`.
    """
    cases = some(matching(read_cases(THIS_TREE), expression), expression)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(cases)))
        return
    width = max(len(case.id) for case in cases)
    click.echo(f"{'case':{width}}  {'kind':8}  {'set':5}  margin  beside")
    for case in cases:
        click.echo(_line(case, width).rstrip())


def _line(case: Described, width: int) -> str:
    sets = "quick" if case.quick else "core" if case.gated else ""
    margin = f"{MARGINS[case.kind].allowed:.0%}"
    return f"{case.id:{width}}  {case.kind:8}  {sets:5}  {margin:>6}  {', '.join(case.of)}"
