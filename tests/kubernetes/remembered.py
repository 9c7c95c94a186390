"""What a slow and plain oracle said before of the same objects, so that not every packet asks it all again."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Json = dict[str, Any]

_AT_MOST: Final = 20_000
_OBJECTS: Final[frozenset[type[object]]] = frozenset((dict,))
"""What is told apart by who it is; everything else by what it is."""


def remembered(function: Callable[Concatenate[list[Json], P], R]) -> Callable[Concatenate[list[Json], P], R]:
    """Keep what a function says of the objects of a cluster.

    Objects are told apart by who they are, not by what they hold: none may change once it was asked about. They are
    kept with the answers, so that no other object can take the place of one in memory.
    """
    answers: dict[Hashable, tuple[object, R]] = {}

    @wraps(function)
    def asked(objects: list[Json], /, *args: P.args, **kwargs: P.kwargs) -> R:
        given: tuple[object, ...] = (*args, *kwargs.values()) if kwargs else args
        key = (id(objects), *[id(each) if type(each) in _OBJECTS else each for each in given])
        known = answers.get(key)
        if known is None:
            if len(answers) >= _AT_MOST:
                answers.clear()
            known = answers[key] = ((objects, args, kwargs), function(objects, *args, **kwargs))
        return known[1]

    return asked
