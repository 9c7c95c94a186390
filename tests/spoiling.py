"""Answers with something else where a field is expected: nothing of it may make a translation fail."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypedDict, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cloudseg.model import Estate
from cloudseg.snapshot import Part, Snapshot

__all__ = [
    "NO_SAMPLES",
    "assert_told",
    "examples",
    "junk",
    "mutated",
    "places",
    "put",
    "recorded",
    "spoiled_snapshots",
]

_SAMPLES: Final = "CLOUDSEG_SAMPLES"


class Skip(TypedDict):
    """What ``pytest.mark.skipif`` is told."""

    condition: bool
    reason: str


NO_SAMPLES: Final[Skip] = {
    "condition": _SAMPLES not in os.environ,
    "reason": f"{_SAMPLES} names no folder of recorded answers",
}


def recorded(provider: str) -> list[Path]:
    """The folders of recorded answers of a provider, of which there is at least one."""
    folders = sorted(path for path in (Path(os.environ[_SAMPLES]) / provider).iterdir() if path.is_dir())
    assert folders
    return folders


def assert_told(estate: Estate) -> None:
    """Every gap says what it leaves open, and why."""
    assert all(gap.detail and gap.facets and gap.reason for gap in estate.gaps)


def examples(count: int) -> settings:
    """So many examples, however long each takes and however much is drawn for it."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count, deadline=None, suppress_health_check=slow)


def junk(*odd: object) -> st.SearchStrategy[Any]:
    """Values of every type, and some more that are odd in the place of what is documented."""
    return st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8), st.just([]),
        st.just({}), st.lists(st.integers(), max_size=2), st.sampled_from(odd),
    )  # fmt: skip


def mutated(draw: st.DrawFn, value: Any, values: st.SearchStrategy[Any]) -> Any:
    """Return the value with a few of its parts deleted, or replaced by something of another type."""
    change = draw(st.integers(0, 24))
    if change == 0:
        return draw(values)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: mutated(draw, item, values) for key, item in fields.items() if draw(st.integers(0, 24))}
    if isinstance(value, list):
        items = [mutated(draw, item, values) for item in cast("list[Any]", value)]
        return [*items, draw(values)] if change == 1 else items
    return value


@st.composite
def spoiled_snapshots(draw: st.DrawFn, whole: Mapping[Part, Any], values: st.SearchStrategy[Any]) -> Snapshot:
    """Snapshots of up to eight of the answers, mutated."""
    chosen = draw(st.lists(st.sampled_from(sorted(whole, key=str)), min_size=1, max_size=8, unique=True))
    return Snapshot.of({part: mutated(draw, whole[part], values) for part in chosen})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in some JSON by its keys and indexes, the whole first."""
    yield path
    below: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        below = list(cast("dict[str, Any]", value).items())
    elif isinstance(value, list):
        below = list(enumerate(cast("list[Any]", value)))
    for key, item in below:
        yield from places(item, (*path, key))


def put(answers: dict[Any, Any], key: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value in a place of the answer ``key``, unless another one before has taken the place away."""
    if not path:
        answers[key] = value
        return
    inner = answers[key]
    for step in path[:-1]:
        try:
            inner = inner[step]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    within = isinstance(inner, list) and isinstance(last, int) and last < len(cast("list[Any]", inner))
    if isinstance(inner, dict) or within:
        inner[last] = value
