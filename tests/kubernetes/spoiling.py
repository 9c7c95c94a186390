"""Answers of clusters with something else where a field is expected: nothing of it may make the translation fail."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hypothesis import strategies as st

from cloudseg.snapshot import Part, Snapshot
from tests.spoiling import places, put

Answers = dict[tuple[str, str], Any]
"""Lists of objects, by API group and plural."""
Place = tuple[tuple[str, str], tuple[Any, ...]]
"""An answer, and the path to a value in it."""

ODD: Final = st.sampled_from(
    [None, True, 0, -1, 80.5, 1 << 70, "", "x/y", "a:b", "{{ x }}", "\ud800", "10.0.0.0/8", [], {}, [None], {"": None}]
)
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FEW: Final[tuple[Any, ...]] = (None, True, 0, "", "{{ x }}", [], {}, [None], {"": None})
"""Values that each place takes in turn."""
_ONE_BY_ONE: Final = ("policies", "serverauthorizations", "deployments", "pods", "rollouts")
"""How kinds end whose objects are read whatever others there are."""


def listed(version: str, kind: str, *items: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": f"{kind}List",
        "items": [{"apiVersion": version, "kind": kind, **i} for i in items],
    }


def taken(answers: Answers) -> Snapshot:
    return Snapshot.of({Part("kubernetes", "c", "global", *key): answer for key, answer in answers.items()})


def spoiled(
    answers: Answers, values: st.SearchStrategy[Any], beside: Mapping[tuple[str, str], Any] | None = None
) -> st.SearchStrategy[Answers]:
    """Answers with other values in up to three places; those beside them are as they are."""

    def made(chosen: list[tuple[Place, Any]]) -> Answers:
        found = {**(beside or {}), **copy.deepcopy(answers)}
        for place, value in chosen:
            put(found, *place, copy.deepcopy(value))
        return found

    return st.lists(st.tuples(st.sampled_from(_every_place(answers)), values), min_size=1, max_size=3).map(made)


def each_spoiled(
    answers: Answers, beside: Mapping[tuple[str, str], Any], values: tuple[Any, ...] = FEW
) -> Iterator[Answers]:
    """Each answer with each value in each of its places in turn, beside others that are as they are.

    Of kinds whose objects are read one by one, the values of a place stand in as many objects of one answer: to read
    what is beside them costs most.
    """
    for key, path in _every_place(answers):
        if key[1].endswith(_ONE_BY_ONE) and len(path) > len(("items", 0)):
            yield {**beside, key: _with_copies(answers[key], path, values)}
            continue
        for value in values:
            found = {**beside, key: copy.deepcopy(answers[key])}
            put(found, key, path, value)
            yield found


def _with_copies(answer: Any, path: tuple[Any, ...], values: tuple[Any, ...]) -> Any:
    """An answer in which an object stands once for each value, with this value in a place of its own."""
    _, number, *within = path
    items = list(answer["items"])
    whole = items.pop(number)
    for count, value in enumerate(values):
        made = {"item": copy.deepcopy(whole)}
        # Objects of one name would be one.
        made["item"]["metadata"]["name"] += f"-{count}"
        put(made, "item", tuple(within), value)
        items.append(made["item"])
    return {**answer, "items": items}


def _every_place(answers: Answers) -> list[Place]:
    return [(key, path) for key, answer in answers.items() for path in places(answer)]
