"""Words of a command line become values without the library that Typer reads them with, where they need none.

Newer versions of Typer read every value with pydantic, which takes longer to load than any command of this program.
Texts, words of a list of choices and what was left out need nothing of it. Everything else, and whatever is wrong, is
Typer's to read and to refuse, and a version that works otherwise is left as it is.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PlainCommand", "PlainGroup"]

_READER: Final = "get_runtime_param"
_DESCRIPTOR: Final = "type_descriptor"
_AS_THEY_ARE: Final[frozenset[type[object]]] = frozenset((str, int))


class _Reader(Protocol):
    """What makes a value of the words that stand for one parameter."""

    def coerce(self, value: object, *, param: object, ctx: object) -> object:
        """Return the value."""
        ...


class _PlainReader:
    """Reads what is plain, and asks the other reader about the rest."""

    def __init__(self, other: Callable[[], _Reader], wanted: object, *, several: bool) -> None:
        self._other = other
        self._wanted = wanted
        self._several = several

    def __call__(self) -> _Reader:
        return self

    def coerce(self, value: object, *, param: object, ctx: object) -> object:
        """Return the value of the words of one parameter."""
        if value is None:
            return () if self._several else None
        wanted = self._wanted
        if self._several:
            if wanted == list[str] and (texts := _texts(value)) is not None:
                return texts
        elif isinstance(wanted, type):
            # A number that is one already stands in the program, and not in what was typed.
            if wanted in _AS_THEY_ARE and type(value) is wanted:
                return value
            if issubclass(wanted, Enum) and isinstance(value, str):
                for choice in wanted:
                    if choice.value == value:
                        return choice
        return self._other().coerce(value, param=param, ctx=ctx)


def _texts(value: object) -> list[object] | None:
    if not isinstance(value, list | tuple):
        return None
    each = list(cast("list[object] | tuple[object, ...]", value))
    return each if all(isinstance(one, str) for one in each) else None


class PlainCommand(TyperCommand):
    """A command that reads what is plain without further libraries."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - versions of Typer differ in the type
        """Return the parameters, the one for help among them."""
        return _read_plainly(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """A group of commands whose own options are read so as well."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - versions of Typer differ in the type
        """Return the parameters, the one for help among them."""
        return _read_plainly(super().get_params(ctx))


def _read_plainly(params: list[Any]) -> list[Any]:
    for param in params:
        reader, descriptor = getattr(param, _READER, None), getattr(param, _DESCRIPTOR, None)
        if reader is not None and descriptor is not None and not isinstance(reader, _PlainReader):
            several = bool(getattr(param, "multiple", False)) or param.nargs == -1
            setattr(param, _READER, _PlainReader(reader, getattr(descriptor, "annotation", None), several=several))
    return params
