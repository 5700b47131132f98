"""The `edge-bench` command."""

import traceback
from typing import Any, Final

import click

from benchmarks.commands.compare import compare
from benchmarks.commands.files import export, report
from benchmarks.commands.list_cases import list_cases
from benchmarks.commands.run import run
from benchmarks.commands.selftest import selftest
from benchmarks.harness.errors import PreparationError, UsageError
from benchmarks.verdicts import ExitCode


class _Group(click.Group):
    """Ends with the exit codes that a CI job tells apart, whatever happens.

    Python and click end with 1 for much; here that means that head is slower, and nothing else.
    """

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # as click has it
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise click.UsageError(str(error)) from None
        except PreparationError as error:
            click.echo(f"Nothing was measured. {error}", err=True)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            ctx.exit(ExitCode.STOPPED)
        except Exception:  # noqa: BLE001  # a fault of this tool is no regression of the product
            traceback.print_exc()
        return ctx.exit(ExitCode.FAILED)


_HELP: Final = """Measure Edge: how fast it is, and whether a change made it slower.

\b
edge-bench compare            did my change make it slower?
edge-bench compare --quick    the same in under a minute, less sure
edge-bench run -k verify      how long does it take, beside floors and peers?
edge-bench list               what can be measured?

docs/benchmarks.md says how to read the answers.
"""


@click.group(cls=_Group, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure Edge."""


for command in (compare, run, list_cases, report, export, selftest):
    main.add_command(command)
