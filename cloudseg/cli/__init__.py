"""The command line: parse, call, render, exit code. What loads slowly loads inside the command that needs it."""

from cloudseg.cli.main import main

__all__ = ["main"]
