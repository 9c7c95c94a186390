"""The generated pages of the remedies, and their table in the page of coverage."""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.remediations.interface import Remedy, RemedyExample

__all__ = ["remedy_index", "remedy_page", "remedy_table"]

_SECTION = re.compile(r"^([A-Z][\w ]+):\n((?:(?:    .*)?\n?)+)", re.MULTILINE)


def remedy_page(remedy: Remedy, clouds: Sequence[str]) -> str:
    """Return the page of one remedy, without the line that says who wrote it.

    Args:
        remedy: the remedy.
        clouds: the clouds, in the order of the table.
    """
    summary, _, rest = _docstring_of(remedy).partition("\n")
    lines = [f"# {remedy.id}", "", _markdown(summary)]
    for heading, body in _SECTION.findall(rest):
        text = "\n".join(line.removeprefix("    ") for line in str(body).strip("\n").splitlines())
        lines += ["", f"## {heading}", "", _markdown(text)]
    answered = ", ".join(f"[{name}](../checks/{name}.md)" for name in sorted(remedy.answers))
    lines += ["", "## Findings that it answers", "", answered]
    lines += ["", "## Clouds", "", "| cloud | what it changes |", "|---|---|"]
    lines += [f"| {cloud} | {_where(remedy, cloud)} |" for cloud in clouds]
    lines += ["", "## Examples"]
    for example in remedy.examples:
        lines += ["", *_example(example)]
    return "\n".join(lines) + "\n"


def remedy_index(remedies: Sequence[Remedy]) -> str:
    """Return the list of all remedies."""
    lines = [
        "# Remedies",
        "",
        "What `cloudseg plan` does about findings. [Plans](../plans.md) says how proposals become a plan, and what a",
        "plan proves.",
        "",
        "| remedy | does |",
        "|---|---|",
    ]
    lines += [f"| [{each.id}]({each.id}.md) | {_markdown(_summary_of(each))} |" for each in _by_id(remedies)]
    return "\n".join(lines) + "\n"


def remedy_table(remedies: Sequence[Remedy], clouds: Sequence[str]) -> Iterator[str]:
    """Yield the lines that say which remedy changes something in which cloud, with a reason in every hole."""
    yield "## Remedies"
    yield ""
    yield "What each remedy changes, cloud by cloud; where it changes nothing, why."
    yield ""
    yield f"| remedy | {' | '.join(clouds)} |"
    yield f"|---|{'---|' * len(clouds)}"
    for remedy in _by_id(remedies):
        marks = ("yes" if cloud in remedy.concept else _where(remedy, cloud) for cloud in clouds)
        yield f"| [{remedy.id}](remedies/{remedy.id}.md) | {' | '.join(marks)} |"


def _example(example: RemedyExample) -> Iterator[str]:
    yield f"{example.name[:1].upper()}{example.name[1:]} (`{example.check}`):"
    yield ""
    yield from (f"- `{change}`" for change in example.changes)
    if example.advice:
        yield f"- advice: {example.advice}"


def _by_id(remedies: Sequence[Remedy]) -> list[Remedy]:
    return sorted(remedies, key=lambda remedy: remedy.id)


def _docstring_of(remedy: Remedy) -> str:
    """Return the docstring of the file in which a remedy stands."""
    return inspect.cleandoc(sys.modules[remedy.propose.__module__].__doc__ or "")


def _summary_of(remedy: Remedy) -> str:
    return _docstring_of(remedy).partition("\n")[0]


def _where(remedy: Remedy, cloud: str) -> str:
    return remedy.concept.get(cloud) or f"none: {remedy.absent[cloud]}"


def _markdown(text: str) -> str:
    return text.replace("``", "`")
