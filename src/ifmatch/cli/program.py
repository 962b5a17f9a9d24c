"""The program `ifmatch`: lazy verbs, what was meant without a verb, and one place for exit statuses."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click
from click.exceptions import Exit, NoArgsIsHelpError

from ifmatch.cli.exit_status import ExitStatus
from ifmatch.cli.terminal import say
from ifmatch.cli.verbs import VERBS
from ifmatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Program", "program"]


class Program(click.Group):
    """A group that imports a verb when it is used, and takes a file, a URL or a topic for a verb."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the help."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb; None when there is no such verb."""
        del ctx
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        loaded = importlib.import_module(verb.module).command
        if not isinstance(loaded, click.Command):
            raise TypeError(f"{verb.module}.command is no click command")
        return _with_samples(loaded)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs from the table."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.summary) for name, verb in VERBS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; options of a verb in front of a file or a topic are understood."""
        from ifmatch.cli.intent import with_verb

        return super().parse_args(ctx, with_verb(args) if args else args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: object,
    ) -> NoReturn:
        """Run and exit with the contracted status; the same for the process and for tests."""
        del standalone_mode, extra
        name = prog_name or "ifmatch"
        variable = complete_var or "_IFMATCH_COMPLETE"
        if variable in os.environ:
            super().main(args, name, variable, standalone_mode=True)
        arguments = list(sys.argv[1:] if args is None else args)
        try:
            status = self._run(name, arguments)
        except BrokenPipeError:
            _silence_output()
            status = ExitStatus.CLOSED_PIPE
        sys.exit(int(status))

    def _run(self, name: str, arguments: list[str]) -> int:
        from ifmatch.errors import IfmatchError, InputError, MissingExtraError, TargetUnreachableError

        try:
            return self._run_verb(name, arguments)
        except BrokenPipeError:
            raise
        except (KeyboardInterrupt, click.Abort):
            say("\nifmatch: interrupted")
            return ExitStatus.INTERRUPTED
        except click.ClickException as error:
            _show_usage_error(error)
            return ExitStatus.USAGE
        except MissingExtraError as error:
            say(f"ifmatch: {error}")
            return ExitStatus.USAGE
        except TargetUnreachableError as error:
            say(f"ifmatch: {error}")
            return ExitStatus.UNREACHABLE
        except InputError as error:
            say(f"ifmatch: {error}")
            return ExitStatus.UNREADABLE
        except (IfmatchError, Exception) as error:  # noqa: BLE001 - the last resort, never a traceback
            from ifmatch.cli.crash import report_crash

            say(report_crash(error, arguments))
            return ExitStatus.INTERNAL

    def _run_verb(self, name: str, arguments: list[str]) -> int:
        try:
            with self.make_context(name, list(arguments)) as context:
                result = self.invoke(context)
                status = result if isinstance(result, int) else ExitStatus.DONE
        except Exit as error:
            status = error.exit_code
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison] - closed by the caller
            sys.stdout.flush()
        return status


def _with_samples(command: click.Command) -> click.Command:
    r"""Turn the `\b` of raw docstrings into the control character that keeps samples as written."""
    command.help = command.help.replace("\\b\n", "\b\n") if command.help else command.help
    for nested in command.commands.values() if isinstance(command, click.Group) else ():
        _with_samples(nested)
    return command


def _show_usage_error(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    if isinstance(error, NoArgsIsHelpError):
        say(error.format_message())
        return
    # click lists choices one a line behind a tab.
    message = error.format_message().replace(":\n\t", ": ").replace(",\n\t", ", ")
    say(f"ifmatch: {message}")
    if isinstance(context, click.Context) and not isinstance(error, click.NoSuchOption):
        return
    if isinstance(context, click.Context):
        say(f"The options: {context.command_path} --help")


def _silence_output() -> None:
    # The interpreter flushes once more on its way out; that flush must not fail loudly.
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(devnull, stream.fileno())
        except (OSError, ValueError, AttributeError):
            continue


_HELP = """Find out why a conditional request was refused (HTTP 412) and what to do.

\b
  ifmatch diagnose bug.har                the cause, ranked, with the evidence
  ifmatch diagnose bug.har -o bug.html    the same as a page with a picture
  ifmatch explain 412                     what it means, in full
  ifmatch demo                            see it happen on this machine

Without a verb, a file is diagnosed; a status, header, cause or question is
explained: `ifmatch bug.har`, `ifmatch 412`, `ifmatch If-Match`.
"""


@click.group(
    cls=Program,
    name="ifmatch",
    help=_HELP,
    invoke_without_command=True,
    subcommand_metavar="VERB [ARGUMENT]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.version_option(__version__, "-V", "--version", prog_name="ifmatch", message="%(prog)s %(version)s")
@click.pass_context
def program(context: click.Context) -> None:
    """Print the help when there is no verb."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
