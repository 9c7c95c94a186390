"""Who reaches whom as a picture: Graphviz' DOT, and Mermaid for Markdown pages.

A node stands for interfaces of equal reach, or for a range outside. A dashed edge may pass, for something is unknown.
A picture of thousands of edges helps nobody: the rest is left out, and the picture says so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.outside import outside_words
from cloudseg.reporters.end_words import EndWords
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.reach_answer import AT_MOST, ReachAnswer
from cloudseg.reporters.text import amount, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from cloudseg.reporters.reach_answer import Bound, Pair
    from cloudseg.traffic import AddressSet

__all__ = ["DOT", "MERMAID"]

_COMPARED = 50_000
_NAMES = 3
_LONGEST = 80
_DOT_EDGES = 2_000
# Mermaid draws 500 edges and 50,000 characters unless it is told otherwise, and some versions 280 edges whatever they
# are told: https://mermaid.js.org/config/schema-docs/config.html
_MERMAID_EDGES = 250
_MERMAID_TEXT = 45_000


class _Edge(NamedTuple):
    source: int
    target: int
    label: str
    dashed: bool


class _Graph(NamedTuple):
    """A picture: the lines of each node, the edges between nodes by their numbers, and what to say about it."""

    nodes: tuple[tuple[str, ...], ...]
    edges: tuple[_Edge, ...]
    notes: tuple[str, ...]


def _graph(answer: ReachAnswer, most: int) -> _Graph:
    kept: list[Pair] = []
    members: dict[str, dict[str, None]] = {}
    count = 0
    for link in answer.links():
        count += 1
        if len(kept) < _COMPARED:
            kept.append(link)
            for end in (link.source, link.target):
                if isinstance(end, str):
                    members.setdefault(end, {}).update(dict.fromkeys(answer.members(link, end)))
    alike = _alike(kept) if len(kept) == count else {name: name for name in members}
    joined = dict.fromkeys(
        (_joined(link.source, alike), _joined(link.target, alike), str(link.traffic), link.bound) for link in kept
    )
    count -= len(kept) - len(joined)
    together: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for name, own in members.items():
        together[alike[name]].update(own)
    words = EndWords(answer.estate)
    numbers: dict[str | AddressSet, int] = {}
    nodes: list[tuple[str, ...]] = []
    edges: list[_Edge] = []
    for source, target, traffic, bound in list(joined)[:most]:
        for end in (source, target):
            if end not in numbers:
                numbers[end] = len(nodes)
                nodes.append(_lines(list(together[end]), words) if isinstance(end, str) else (outside_words(end),))
        edges.append(_Edge(numbers[source], numbers[target], _short(traffic), bound == AT_MOST))
    return _Graph(tuple(nodes), tuple(edges), tuple(_notes(answer, len(edges), count)))


def _alike(links: Sequence[Pair]) -> dict[str, str]:
    """Return for each class the first one that everybody reaches, and that reaches everybody, on the same."""
    reach: defaultdict[str, set[tuple[bool, str | AddressSet, str, Bound]]] = defaultdict(set)
    for source, target, traffic, bound in links:
        if isinstance(source, str):
            reach[source].add((True, target, str(traffic), bound))
        if isinstance(target, str):
            reach[target].add((False, source, str(traffic), bound))
    first: dict[frozenset[tuple[bool, str | AddressSet, str, Bound]], str] = {}
    return {name: first.setdefault(frozenset(all_of), name) for name, all_of in reach.items()}


def _joined(end: str | AddressSet, alike: dict[str, str]) -> str | AddressSet:
    return alike[end] if isinstance(end, str) else end


def _lines(members: Sequence[str], words: EndWords) -> tuple[str, ...]:
    """Return what stands in the node of interfaces: the first names, and how many more there are."""
    shown = [_short(words.label(identifier)) for identifier in members[:_NAMES]]
    more = len(members) - len(shown)
    return (*shown, f"and {more:,} more") if more else tuple(shown)


def _short(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _notes(answer: ReachAnswer, shown: int, count: int) -> Iterator[str]:
    if not count:
        yield answer.nothing
    if shown < count:
        yield f"{shown:,} of {count:,} edges are shown; name fewer ends with --from and --to, or take --format csv"
    if answer.gaps:
        yield f"the answer is incomplete: {amount(answer.gaps, 'gap')}"
    yield from answer.notes


def _write_dot(answer: ReachAnswer, stream: TextIO, _options: RenderOptions) -> None:
    """Write Graphviz' DOT. See https://graphviz.org/doc/info/lang.html for what a quoted text may hold."""
    graph = _graph(answer, _DOT_EDGES)
    stream.write('digraph reach {\n  rankdir=LR;\n  node [shape=box, fontname="sans-serif"];\n')
    stream.write('  edge [fontname="sans-serif", fontsize=10];\n')
    if graph.notes:
        stream.write(f"  labelloc=t;\n  label={_dot_text(graph.notes)};\n")
    stream.writelines(f"  n{number} [label={_dot_text(lines)}];\n" for number, lines in enumerate(graph.nodes))
    for edge in graph.edges:
        style = ", style=dashed" if edge.dashed else ""
        stream.write(f"  n{edge.source} -> n{edge.target} [label={_dot_text((edge.label,))}{style}];\n")
    stream.write("}\n")


def _dot_text(lines: Sequence[str]) -> str:
    text = "\\n".join(visible(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return f'"{text}"'


def _write_mermaid(answer: ReachAnswer, stream: TextIO, _options: RenderOptions) -> None:
    """Write a flowchart of Mermaid. See https://mermaid.js.org/syntax/flowchart.html."""
    graph = _graph(answer, _MERMAID_EDGES)
    nodes = [f"  n{number}[{_mermaid_text(lines)}]\n" for number, lines in enumerate(graph.nodes)]
    room = _MERMAID_TEXT - sum(map(len, nodes))
    edges: list[str] = []
    for edge in graph.edges:
        arrow = "-.->" if edge.dashed else "-->"
        line = f"  n{edge.source} {arrow}|{_mermaid_text((edge.label,))}| n{edge.target}\n"
        room -= len(line)
        if room < 0:
            break
        edges.append(line)
    notes = list(graph.notes)
    if len(edges) < len(graph.edges):
        notes.append(f"{len(edges):,} edges fit; the rest is left out")
    stream.write("flowchart LR\n")
    stream.writelines(f"  note{number}[{_mermaid_text((note,))}]\n" for number, note in enumerate(notes))
    stream.writelines(nodes)
    stream.writelines(edges)


def _mermaid_text(lines: Sequence[str]) -> str:
    text = "<br/>".join(_mermaid_line(visible(line)) for line in lines)
    return f'"{text}"'


def _mermaid_line(text: str) -> str:
    """Return a text with everything that may mean something to Mermaid, Markdown or HTML as the code of a character."""
    return "".join(
        c if not c.isascii() or c.isalnum() or (c in " ,/.-" and number) else f"#{ord(c)};"
        for number, c in enumerate(text)
    )


DOT = Reporter(name="dot", suffixes=(".dot", ".gv"), write=_write_dot)
MERMAID = Reporter(name="mermaid", suffixes=(".mmd", ".mermaid"), write=_write_mermaid)
