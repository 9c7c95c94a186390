"""Rules as ARM writes them: those of NSGs and of security admin configurations have one shape."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Rule
from cloudseg.providers.azure.ids import qualified_id
from cloudseg.providers.azure.translate.parts import ParsedRule
from cloudseg.providers.azure.translate.rule_traffic import rule_traffic, source_ports
from cloudseg.providers.azure.translate.wire import Ref, ids
from cloudseg.traffic import ALL_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Verdict
    from cloudseg.providers.azure.translate.answers import Answers

__all__ = ["RuleProperties", "is_prefix", "parsed", "unread_rules"]

FACET: Final = "groups"
_DIRECTIONS: Final[dict[str, Direction]] = {"inbound": "ingress", "outbound": "egress"}
_EVERY: Final = ("*",)


# There are tens of thousands of these, and no cycle can run through them: the collector need not walk them.
class RuleProperties(msgspec.Struct, gc=False, rename="camel"):
    """The properties of a rule. One form of each field is filled, the single one or the list."""

    direction: str
    access: str
    priority: int
    protocol: str = "*"
    description: str | None = None
    source_port_range: str | None = None
    source_port_ranges: list[str] | None = None
    destination_port_range: str | None = None
    destination_port_ranges: list[str] | None = None
    source_address_prefix: str | None = None
    source_address_prefixes: list[str] | None = None
    destination_address_prefix: str | None = None
    destination_address_prefixes: list[str] | None = None
    source_application_security_groups: list[Ref] | None = None
    destination_application_security_groups: list[Ref] | None = None


def parsed(
    answers: Answers, what: str, owner: str, name: str, wire: RuleProperties, verdicts: dict[str, Verdict]
) -> ParsedRule:
    """Return a rule as it is written; what cannot be read becomes a gap, and the rule the most that it can match.

    Args:
        answers: where gaps go.
        what: the answer: ``network.network_security_groups``.
        owner: ARM id of what holds the rule.
        name: the name of the rule, unique in its list.
        wire: its properties.
        verdicts: what each ``access`` means, in lower case.
    """
    direction = _DIRECTIONS.get(wire.direction.lower())
    problems: list[str] = []
    matched = rule_traffic(wire.protocol, _listed(wire.destination_port_range, wire.destination_port_ranges))
    clients = None
    try:
        clients = source_ports(_listed(wire.source_port_range, wire.source_port_ranges))
    except ParseError as error:
        problems.append(str(error))
    verdict = verdicts.get(wire.access.lower())
    if matched.problem:
        problems.append(matched.problem)
    if direction is None:
        problems.append(f"direction is {wire.direction!r}")
    if verdict is None:
        problems.append(f"access is {wire.access!r}")
    sources = _End(wire.source_address_prefix, wire.source_address_prefixes, wire.source_application_security_groups)
    targets = _End(
        wire.destination_address_prefix, wire.destination_address_prefixes, wire.destination_application_security_groups
    )
    inward = direction != "egress"
    remote, local = (sources, targets) if inward else (targets, sources)
    for side, end in (("source", sources), ("destination", targets)):
        if not end.texts and not end.groups:
            problems.append(f"it names no {side}")
        problems += [f"{side}: {problem}" for text in end.texts if (problem := _problem(text))]
    for problem in problems:
        answers.gap(what, owner, "malformed", f"rule {name}: {problem}", FACET)
    rule = Rule(
        id=name,
        direction=direction or "ingress",
        verdict=verdict or "next",
        traffic=matched.traffic,
        remote=(),
        priority=wire.priority,
        source_ports=clients,
        exact=not problems,
        description=wire.description or "",
    )
    return ParsedRule(
        rule,
        remote.texts or (() if remote.groups else _EVERY),
        local.texts or (() if local.groups else _EVERY),
        remote.groups,
        local.groups,
        matched.maybe,
    )


@lru_cache(maxsize=65536)
def _problem(text: str) -> str:
    """Return why a text that looks like a prefix is none; empty for prefixes and for service tags."""
    if not is_prefix(text):
        return ""
    try:
        AddressSet.from_cidrs((text,))
    except ParseError as error:
        return str(error)
    return ""


def is_prefix(text: str) -> bool:
    """Tell whether an end of a rule is meant as an address or prefix, and not as a service tag."""
    return text[0].isdigit() or ":" in text


class _End:
    """One end of a rule as it is written."""

    def __init__(self, single: str | None, several: list[str] | None, groups: list[Ref] | None) -> None:
        self.texts = _listed(single, several)
        self.groups = tuple(qualified_id(group) for group in ids(groups))


def _listed(single: str | None, several: list[str] | None) -> tuple[str, ...]:
    """Return what the single form and the list hold together: an answer fills one of them."""
    texts = (*(several or ()), *((single,) if single else ()))
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


_MAY: Final[dict[Verdict, str]] = {"deny": "deny", "next": "allow", "accept": "always allow"}


def unread_rules(index: int, name: str, *, final: bool = False) -> Iterator[ParsedRule]:
    """Yield what stands in for a rule of which nothing is known: it may deny anything, and may allow anything.

    Ahead of every other rule of its list it leaves nothing certain and rules nothing out.

    Args:
        index: its place among those of its list.
        name: its name; empty where that was not read either.
        final: it may also allow for good, so that no further list is asked.
    """
    place = f" {index + 1}" if index or not name else ""
    directions: tuple[Direction, ...] = ("ingress", "egress")
    verdicts: tuple[Verdict, ...] = ("accept", "deny", "next") if final else ("deny", "next")
    for direction in directions:
        for verdict in verdicts:
            rule = Rule(
                id=f"{name or 'rule'}{place}, not read ({direction}, may {_MAY[verdict]})",
                direction=direction,
                verdict=verdict,
                traffic=ALL_TRAFFIC,
                remote=(),
                priority=0,
                exact=False,
            )
            yield ParsedRule(rule, _EVERY, _EVERY, unread=True)
