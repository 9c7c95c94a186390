"""`python -m cloudseg` within this process: what a process of its own does, without loading everything again."""

import atexit
import gc
import io
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, chdir
from importlib import import_module
from pathlib import Path
from subprocess import CompletedProcess
from typing import BinaryIO
from unittest import mock

from tests.cli.bundled import bundled_once


def started_here(arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> "CompletedProcess[str]":
    """Run the program in a folder, with this environment and no other, and return what it printed and its exit code.

    What it does to the interpreter is undone. What happens at the borders of a process (streams that are closed, full
    or of another encoding, signals, what was loaded when) has to be asked of a process.
    """
    with ExitStack() as stack:
        output, errors = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        out, err = _stream(output, "surrogateescape"), _stream(errors, "backslashreplace")
        stack.enter_context(chdir(folder))
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        for name, value in (("stdout", out), ("__stdout__", out), ("stderr", err), ("__stderr__", err)):
            stack.enter_context(mock.patch.object(sys, name, value))
        stack.enter_context(mock.patch.object(sys, "argv", ["cloudseg", *arguments]))
        stack.callback(gc.set_threshold, *gc.get_threshold())
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        stack.callback(_unregister)
        stack.enter_context(bundled_once())
        code: int | str | None = 0
        try:
            runpy.run_module("cloudseg", run_name="__main__", alter_sys=True)
        except SystemExit as ending:
            code = ending.code
        for stream in (out, err):
            stream.flush()
        assert isinstance(code, int | None)
        return CompletedProcess(arguments, code or 0, _text(output), _text(errors))


def _unregister() -> None:
    """Let the interpreter of the tests end as it would: the program leaves in a way of its own."""
    atexit.unregister(import_module("cloudseg.cli.main")._leave)


def least_environment(home: Path) -> dict[str, str]:
    """The least environment in which the program runs."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(home)}


def _stream(file: BinaryIO, errors: str) -> io.TextIOWrapper:
    """A stream as Python opens those of a process, which has a number and is no terminal."""
    return io.TextIOWrapper(file, encoding="utf-8", errors=errors, write_through=True)


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return io.TextIOWrapper(io.BytesIO(file.read()), encoding="utf-8").read()
