"""The command line: `rekindle simulate`, `forecast`, `trial`, `score`, `plan`, `predict`, `model` and others.

A command reads its arguments, calls one function of the package and prints what comes back. Every error
leaves here in one form: what is wrong, where, what would be right, on standard error; never a traceback.
Exit code 0 is done, 1 the model or the run failed, 2 the input was wrong, 130 stopped by the user, 143 by
the system.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import Any

import typer

from rekindle import __version__
from rekindle.cli.bench import bench
from rekindle.cli.calibrate import calibrate
from rekindle.cli.dose import dose
from rekindle.cli.evidence import app as evidence_app
from rekindle.cli.forecast import forecast
from rekindle.cli.model import app as model_app
from rekindle.cli.output import emit_json, wants_json
from rekindle.cli.plan import plan
from rekindle.cli.predict import predict
from rekindle.cli.score import score
from rekindle.cli.simulate import simulate
from rekindle.cli.trial import trial
from rekindle.errors import InputError, ModelError, RekindleError

INTERRUPTED = 130
TERMINATED = 143

app = typer.Typer(
    name="rekindle",
    help="Ketamine in depression: a course of doses in, an honest forecast out.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("simulate")(simulate)
app.command("dose")(dose)
app.command("calibrate")(calibrate)
app.command("plan")(plan)
app.command("predict")(predict)
app.command("forecast")(forecast)
app.command("trial")(trial)
app.command("score")(score)
app.command("bench")(bench)
app.add_typer(model_app, name="model")
app.add_typer(evidence_app, name="evidence")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"rekindle {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: bool = typer.Option(
        False, "--version", help="Print the version and stop.", callback=_print_version, is_eager=True
    ),
) -> None:
    """Ketamine in depression: a course of doses in, an honest forecast out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with `arguments` (default: those of the process) and return the exit code.

    With `--json` standard output carries exactly one JSON document, also when the command fails.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = wants_json(given)
    try:
        with _StopOnTermination():
            result = app(args=given, prog_name="rekindle", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except KeyboardInterrupt:
        return _stopped("Stopped; nothing was left behind.")
    except BaseException as error:
        if type(error).__name__ == "Abort":  # how the option parser passes an interrupt on
            return _stopped("Stopped; nothing was left behind.")
        if not isinstance(error, Exception):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            return _say_help(error)
        return _report(_explained(error), as_json=as_json)


def _explained(error: Exception) -> RekindleError:
    """Any error as one of ours: wrong use of an option, the disk, or a fault in Rekindle itself."""
    from rekindle.run import disk_error

    if isinstance(error, RekindleError):
        return error
    if hasattr(error, "format_message"):  # the option parser's own family, whichever it is built on
        return _usage_error(error)
    if isinstance(error, OSError):
        return disk_error(error)
    if isinstance(error, MemoryError):
        return ModelError("There is not enough memory for this run.", hint="Ask for fewer people or a shorter horizon.")
    if os.environ.get("REKINDLE_TRACEBACK"):
        raise error
    return ModelError(
        f"Rekindle itself failed: {type(error).__name__}: {error}.",
        hint="This is a fault in the program, not in the input; set REKINDLE_TRACEBACK=1 to see where.",
    )


def _say_help(error: Any) -> int:
    """No command was given: the answer is the list of them; still an exit code of wrong use."""
    sys.stderr.write(f"{error.ctx.get_help()}\n")
    return InputError.exit_code


def _usage_error(error: Any) -> InputError:
    """What the option parser found wrong, with the nearest option or command."""
    message = str(error.format_message()).strip()
    context = getattr(error, "ctx", None)
    if re.match(r"-\d", getattr(error, "option_name", "")):
        return InputError("A dose is more than zero; this one has a minus.", hint="Remove the minus.")
    near = getattr(error, "possibilities", None)
    hints = []
    if near:
        hints.append(f"Nearest: {', '.join(near)}.")
    if context is not None:
        hints.append(f"'{context.command_path} --help' shows what there is.")
    return InputError(message if message.endswith((".", "?", "!")) else f"{message}.", hint=" ".join(hints) or None)


def _report(error: RekindleError, *, as_json: bool) -> int:
    """Say the error on standard error (and as a document where one was asked for); returns its exit code."""
    sys.stderr.write(f"rekindle: {error}\n")
    if as_json:
        fields = {
            "message": error.message,
            "where": error.where,
            "hint": error.hint,
            "exit_code": error.exit_code,
        }
        emit_json({"error": fields})
    return error.exit_code


def _stopped(message: str) -> int:
    sys.stderr.write(f"\nrekindle: {message}\n")
    return INTERRUPTED


class _StopOnTermination:
    """While a command runs, a request to terminate unwinds the stack, so half-written output is removed."""

    def __enter__(self) -> None:
        self._earlier: Any = None
        try:
            self._earlier = signal.signal(signal.SIGTERM, self._leave)
        except ValueError:  # not the main thread: signals belong to whoever started us
            self._earlier = None

    def __exit__(self, *_: object) -> None:
        if self._earlier is not None:
            signal.signal(signal.SIGTERM, self._earlier)

    @staticmethod
    def _leave(*_: object) -> None:
        raise SystemExit(TERMINATED)
