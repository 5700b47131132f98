"""`edge-bench report` and `export`: what was measured, in another form."""

from pathlib import Path
from typing import get_args

import click

from benchmarks import report as made
from benchmarks.harness.errors import UsageError
from benchmarks.outputs import OutputFile, Outputs, output_options, read, write
from benchmarks.results import Report

_file_argument = click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)


@click.command()
@_file_argument
@click.option(
    "--into",
    "document",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="DOCUMENT",
    help="Replace the figures between the markers of a document.",
)
@output_options
def report(file: str, document: Path | None, outputs: Outputs) -> None:
    """Show FILE, a result in JSON, once more; nothing is measured."""
    result = read(file)
    if document is not None:
        if not isinstance(result, Report):
            message = f"{file} is a comparison; figures of a document are those of a run"
            raise UsageError(message)
        try:
            document.write_text(made.performance(result, document.read_text()))
        except made.UnknownBlockError as error:
            message = f"{document}: {error}"
            raise UsageError(message) from None
    outputs.write(result)


@click.command()
@_file_argument
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(get_args(made.Format)),
    help="bmf is that of Bencher.",
)
@click.option("--output", default="-", type=OutputFile(), help="A file; - is standard output.")
def export(file: str, form: made.Format, output: str) -> None:
    """Write FILE, a result in JSON, in the format of another tool."""
    write(output, made.export(read(file), form))
