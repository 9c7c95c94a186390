"""`cloudseg checks`: list the checks, or explain one."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["checks"]


def checks(
    check: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Explain this check; without it, list all.", show_default=False)
    ] = None,
) -> None:
    """List the checks with their severity and clouds, or explain one: what it finds, why it matters, what mends it."""
    from cloudseg.cli.terminal import width
    from cloudseg.engine import select_checks
    from cloudseg.reporters.check_page import check_list, check_text

    if check is None:
        typer.echo(check_list(select_checks(), width()))
    else:
        typer.echo(check_text(select_checks([check])[0], width()))
