"""One file a format; explicit tables list them: ``formats``, ``reach_formats``, ``diff_formats``."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

from cloudseg.errors import ConfigError
from cloudseg.reporters.interface import RenderOptions, Reporter

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RenderOptions", "Reporter", "format_for"]

D = TypeVar("D")


def format_for(path: str | PurePath, formats: Mapping[str, Reporter[D]]) -> Reporter[D]:
    """Return the format that a file's suffix means, of those given; the longest suffix counts (``.sarif.json``).

    Raises:
        ConfigError: no format has this suffix.
    """
    name = PurePath(path).name.lower()
    known = {suffix: reporter for reporter in formats.values() for suffix in reporter.suffixes}
    fitting = [suffix for suffix in known if name.endswith(suffix)]
    if not fitting:
        raise ConfigError(
            f"the name of {str(path)!r} does not tell the format of the report; end it in {', '.join(sorted(known))}"
        )
    return known[max(fitting, key=len)]
