"""Packages that are installed only where a provider or an engine is used."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cloudseg.errors import CollectError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["package"]


@contextmanager
def package(what: str, extra: str) -> Generator[None]:
    """Tell how to install what is missing.

    Args:
        what: what is read.
        extra: what of cloudseg to install for it.

    Raises:
        CollectError: it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise CollectError(
            f"reading {what} needs the package {error.name}; install it with `pip install 'cloudseg[{extra}]'`"
        ) from error
