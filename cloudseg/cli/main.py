"""The program `cloudseg`: its commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
import traceback
from typing import Annotated

import typer

from cloudseg import __version__
from cloudseg.cli import audit, checks, collect, diff, explain, flows, intent, plan, reach
from cloudseg.cli.terminal import let_go_of_stdout
from cloudseg.cli.values import PlainCommand, PlainGroup
from cloudseg.errors import CloudsegError

__all__ = ["app", "main"]

_GARBAGE_AFTER = 2_000_000
_SWITCH_SECONDS = 0.001
_UNWRITABLE = frozenset((errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EBADF))
_INTERRUPTED = 130
"""As shells count: 128 and the number of SIGINT. See https://tldp.org/LDP/abs/html/exitcodes.html."""
_READER_LEFT = 141
"""As shells count: 128 and the number of SIGPIPE, for a stream that nobody reads any more."""

app = typer.Typer(
    name="cloudseg",
    cls=PlainGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("audit", cls=PlainCommand)(audit.audit)
app.command("collect", cls=PlainCommand)(collect.collect)
app.command("reach", cls=PlainCommand)(reach.reach)
app.command("explain", cls=PlainCommand)(explain.explain)
app.command("diff", cls=PlainCommand)(diff.diff)
app.command("flows", cls=PlainCommand)(flows.flows)
app.command("intent", cls=PlainCommand)(intent.intent)
app.command("plan", cls=PlainCommand)(plan.plan)
app.command("checks", cls=PlainCommand)(checks.checks)


def _print_version(value: bool) -> None:  # noqa: FBT001 - the signature of a Typer callback
    if value:
        typer.echo(f"cloudseg {__version__}")
        raise typer.Exit


@app.callback()
def cloudseg(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Audit how finely a cloud estate is segmented, with exact verdicts.

    Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 wrong usage, configuration or input; 3 the answer is
    incomplete (gaps); 4 a plan is not proved; 130 interrupted; 141 the reader of what it wrote left.
    """


def main() -> None:
    """Run the program: the one handler that turns errors into a message and an exit code."""
    # An audit makes millions of frozen values and hardly a cycle: looking for garbage at every 700th is a waste.
    gc.set_threshold(_GARBAGE_AFTER, 20, 50)
    # Nothing here multiplies matrices: numpy need not start a thread for each processor.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A thread that waits for the network alone goes on at once when the answer is there, not after 5 ms.
    sys.setswitchinterval(_SWITCH_SECONDS)
    atexit.register(_leave)
    try:
        app()
    except SystemExit as ending:
        # Typer catches a pipe that was closed, and ends with 1, which here says "findings".
        if isinstance(ending.__context__, BrokenPipeError):
            let_go_of_stdout()
            sys.exit(_READER_LEFT)
        if ending.code == _INTERRUPTED:
            _say("cloudseg: interrupted; what was not written whole was not written")
        raise
    except KeyboardInterrupt:
        _say("cloudseg: interrupted")
        sys.exit(_INTERRUPTED)
    except CloudsegError as error:
        _say(f"cloudseg: {error}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        let_go_of_stdout()
        sys.exit(_READER_LEFT)
    except OSError as error:
        # Files are named in what they raise, and handled where they are written: what is left are the streams.
        if error.filename is None and error.errno in _UNWRITABLE:
            let_go_of_stdout()
            _say(f"cloudseg: cannot write to standard output: {error.strerror}")
        else:
            _bug()
        sys.exit(CloudsegError.exit_code)
    except Exception:  # noqa: BLE001 - a bug must not leave with 1, which says "findings"
        _bug()
        sys.exit(CloudsegError.exit_code)


def _leave() -> None:
    """On its way out Python looks for garbage several times more, among everything that is about to go anyway."""
    # DuckDB's binding counts what is left of it, and complains of what was kept.
    if "duckdb" not in sys.modules:
        gc.freeze()


def _bug() -> None:
    traceback.print_exc()
    _say("cloudseg: this is a bug; please report it with the lines above")


def _say(message: str) -> None:
    from cloudseg.text import visible

    typer.echo("\n".join(visible(line) for line in message.split("\n")), err=True)
