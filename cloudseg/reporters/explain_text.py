"""Explanations for people: the verdict, the way of the packets hop by hop, and what decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.errors import ParseError
from cloudseg.model import shown_id
from cloudseg.reach.outside import outside_words
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.screen import Screen
from cloudseg.reporters.text import amount
from cloudseg.reporters.wording import unread_lines
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from cloudseg.reach.explaining.explanation import EndPoint, Explanation, RuleRef
    from cloudseg.reporters.explain_json import Explained, ExplanationDocument

__all__ = ["REPORTER"]

_COLORS = {
    "passes": "32", "allowed": "32", "partly": "33", "unknown": "33", "blocks": "31", "blocked": "31",
}  # fmt: skip
_VERDICT = len("unknown")
_ARRIVES = "arrives"
_ALIKE = 5
_RULES = 20
_NARROW = 24


def _write(document: ExplanationDocument, stream: TextIO, options: RenderOptions) -> None:
    screen = Screen(options)
    for number, explained in enumerate(document.explanations):
        if number:
            stream.write("\n")
        stream.writelines(f"{line}\n" for line in _explained(explained, screen))
    closing = [line for note in document.notes for line in screen.folded(f"note: {note}")]
    closing += unread_lines(document.sources, screen)
    if closing:
        stream.write("\n")
        stream.writelines(f"{line}\n" for line in closing)


def _explained(explained: Explained, screen: Screen) -> Iterator[str]:
    told = explained.explanation
    yield from _header(told, screen)
    for heading, ids, own in (
        ("the same from", explained.sources, told.source),
        ("the same to", explained.targets, told.target),
    ):
        others = [shown_id(identifier) for identifier in ids if identifier != own.id]
        if others:
            more = f" and {len(others) - _ALIKE:,} more" if len(others) > _ALIKE else ""
            yield from screen.folded(f"{heading} {', '.join(others[:_ALIKE])}{more}", indent="  ")
    yield ""
    yield from _steps(told, screen)
    yield from _decisive(told, screen)
    yield from _listed("Not known", told.unknowns, screen)
    yield from _listed("Worth knowing", told.notes, screen)


def _header(told: Explanation, screen: Screen) -> Iterator[str]:
    first, *rest = screen.folded(f"{told.verdict}: {told.traffic}")
    yield screen.colored(first, f"1;{_COLORS[told.verdict]}")
    yield from rest
    yield from screen.folded(f"from  {_end(told.source)}", indent="  ")
    yield from screen.folded(f"to    {_end(told.target)}", indent="  ")
    yield from screen.folded(f"why   {told.reason}", indent="  ")
    if told.verdict in {"partly", "unknown"}:
        yield from screen.folded(f"certainly passes: {told.lower}; at most: {told.upper}", indent="  ")


def _end(end: EndPoint) -> str:
    if end.id:
        return end.text if end.address in end.text else f"{end.text}, {end.address}"
    try:
        text = outside_words(AddressSet.parse(end.text))
    except ParseError:
        text = end.text
    return text if end.address in text else f"{text}, of which {end.address}"


def _steps(told: Explanation, screen: Screen) -> Iterator[str]:
    """Yield the steps, numbered, their verdicts below each other; what is left is told where a step takes some away."""
    digits = len(str(len(told.steps)))
    indent = " " * (screen.indent + digits + screen.gap + _VERDICT + screen.gap)
    left = (told.traffic, told.traffic)
    for number, step in enumerate(told.steps, 1):
        first, *rest = screen.cell([step.text], max(screen.width - len(indent), _NARROW)) or [""]
        # What nothing arrives at blocks nothing.
        missed = step.kind == "delivered" and left[1] == "none"
        word = "" if missed else _ARRIVES if (step.kind, step.verdict) == ("delivered", "passes") else step.verdict
        verdict = screen.colored(f"{word:<{_VERDICT}}", _COLORS[step.verdict])
        yield f"  {number:>{digits}}  {verdict}  {first}"
        yield from (f"{indent}{line}" for line in rest)
        details = [*_rules(step.rules), *([step.reason] if step.reason not in {"", told.reason} else [])]
        if left != (left := (step.left_lower, step.left_upper)):
            details.append(f"left of it: {_left(*left)}")
        deep = indent if screen.width - len(indent) >= _NARROW else " " * screen.indent
        for detail in details:
            yield from screen.folded(detail, indent=deep)


def _left(lower: str, upper: str) -> str:
    if lower == upper:
        return "nothing" if upper == "none" else upper
    return f"{'nothing for sure' if lower == 'none' else lower}, at most {upper}"


def _rules(rules: Sequence[RuleRef]) -> list[str]:
    shown = [f"{rule.label}: {rule.text}{'' if rule.rule == '*' else f' [{rule.rule}]'}" for rule in rules[:_RULES]]
    if len(rules) > _RULES:
        shown.append(f"… and {amount(len(rules) - _RULES, 'more rule')}")
    return shown


def _decisive(told: Explanation, screen: Screen) -> Iterator[str]:
    """Yield what would have to change for another verdict."""
    also = [f"{step.text}{': ' + step.reason if step.reason else ''}" for step in told.also_blocking]
    # Without a rule that blocks, what comes after would hang in the air.
    first = _rules(told.blocked_by) or ([told.reason] if also else [])
    yield from _listed("Blocked by", first, screen)
    yield from _listed("These would have to change as well", also, screen)
    if len(told.cuts) == 1:
        yield from _listed("Without these nothing would pass", _rules(told.cuts[0].rules), screen)
    elif told.cuts:
        yield ""
        yield screen.colored("Nothing would pass without all the rules of any one of these steps", "1")
        for cut in told.cuts:
            yield from screen.folded(f"{cut.direction} at {cut.text}", indent="  ")
            for text in _rules(cut.rules):
                yield from screen.folded(text, indent="    ")


def _listed(heading: str, texts: Sequence[str], screen: Screen) -> Iterator[str]:
    if texts:
        yield ""
        yield screen.colored(heading, "1")
    for text in texts:
        yield from screen.folded(text, indent="  ")


REPORTER = Reporter(name="text", suffixes=(".txt",), write=_write)
