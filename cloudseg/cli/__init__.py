"""The command line: parse, call, render, exit code. What loads slowly loads inside the command that needs it."""

import sys

try:
    from cloudseg.cli.main import main
except KeyboardInterrupt:
    # Loading takes a tenth of a second, in which somebody who mistyped a command already stops it.
    sys.stderr.write("cloudseg: interrupted\n")
    sys.exit(130)

__all__ = ["main"]
