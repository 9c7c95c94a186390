"""Refused conversations, and which rule or missing rule of today refuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from cloudseg.errors import ParseError
from cloudseg.observed.columns_of import numbers_of
from cloudseg.observed.grouping import grouped, ports_of
from cloudseg.observed.kinds_of_traffic import traffic_of
from cloudseg.reach.end_names import end_label
from cloudseg.traffic import AddressSet, protocol_name
from cloudseg.traffic.cidr import parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate
    from cloudseg.observed.ends import End
    from cloudseg.observed.grouping import Group
    from cloudseg.observed.join import Joined
    from cloudseg.reach.explaining.explanation import RuleRef
    from cloudseg.reach.reachability import Reachability

__all__ = ["Refusal", "Why", "end_words", "refusals", "traffic_text"]

_INTERNET: Final = "internet"
_ADDRESSES: Final = 3

Why = Literal["blocked", "allowed", "unknown"]
"""What the rules of today do: ``allowed``: they let it through now; ``unknown``: that is not known."""


class Refusal(NamedTuple):
    """Conversations that were refused between the same ends, on the same port.

    Attributes:
        source: who opened them, in words; all addresses of the internet together.
        target: the other end, in words.
        traffic: the port: ``tcp/22``.
        answers: only the answers were refused.
        group: the conversations.
        why: what the rules of today do with them.
        reason: what refuses them, in words.
        rules: the rules that do.
    """

    source: str
    target: str
    traffic: str
    answers: bool
    group: Group
    why: Why
    reason: str
    rules: tuple[RuleRef, ...]


def refusals(joined: Joined, reach: Reachability, most: int) -> tuple[tuple[Refusal, ...], int]:
    """Return the refused conversations with the most attempts, explained, and how many groups there are in all.

    Args:
        joined: the conversations and their ends.
        reach: the reachability of the estate.
        most: so many are explained.
    """
    table = joined.conversations
    verdicts = table.column("verdict")
    # A scan from ten thousand addresses is one thing for people.
    sources = numbers_of([_INTERNET if end.kind == "outside" else end for end in joined.ends])
    ports = ports_of(table)
    answers = verdicts == "reply-refused"
    if not len(joined):
        return (), 0
    keys = (sources.codes[joined.initiators], joined.responders, ports.codes, answers.astype(np.int64))
    found = grouped(joined, np.flatnonzero(verdicts != "accepted"), keys)
    told = tuple(
        _told(joined, reach, group, ports.at(int(group.rows[0])), answers=bool(answers[int(group.rows[0])]))
        for group in found[:most]
    )
    return told, len(found)


def _told(joined: Joined, reach: Reachability, group: Group, pair: tuple[int, int | None], *, answers: bool) -> Refusal:
    row = int(group.rows[0])
    source, target = joined.initiator(row), joined.responder(row)
    outside = {joined.initiator(int(each)).address for each in group.rows} if source.kind == "outside" else set[str]()
    why, reason, rules = _explained(source, target, pair, reach)
    return Refusal(
        source=_addresses(outside) if outside else end_words(source, reach.estate),
        target=end_words(target, reach.estate),
        traffic=traffic_text(*pair),
        answers=answers,
        group=group,
        why=why,
        reason=reason,
        rules=rules,
    )


def _explained(
    source: End, target: End, pair: tuple[int, int | None], reach: Reachability
) -> tuple[Why, str, tuple[RuleRef, ...]]:
    from cloudseg.reach.explaining.explain import explain

    for end in (source, target):
        if not end.known:
            return "unknown", end.reason, ()
    asked = [end.interface or _address(end) for end in (source, target)]
    if not any(isinstance(end, str) for end in asked):
        return "unknown", "neither end is an interface of the estate", ()
    found = explain(reach, asked[0], asked[1], traffic_of(*pair))
    if found.verdict == "blocked":
        return "blocked", found.reason, found.blocked_by
    if found.verdict == "unknown":
        return "unknown", found.reason, ()
    return "allowed", "the rules of today let it through: they, or the ends, have changed since", ()


def _address(end: End) -> AddressSet:
    try:
        parse_address(end.address)
    except ParseError:
        return AddressSet()
    return AddressSet.parse(end.address)


def _addresses(outside: Iterable[str]) -> str:
    each = sorted(outside)
    if len(each) <= _ADDRESSES:
        return ", ".join(each)
    return f"{len(each):,} addresses of the internet"


def end_words(end: End, estate: Estate) -> str:
    """Return an end in words: an interface with its name, else the address with what the log calls it."""
    if end.interface:
        return end_label(estate.interfaces[end.interface], estate)
    return f"{end.address} ({end.name})" if end.name else end.address


def traffic_text(protocol: int, port: int | None) -> str:
    """Return a port as people write it: ``tcp/22``, ``icmp``, ``ip/97``."""
    name = protocol_name(protocol) if 0 <= protocol <= 255 else f"ip/{protocol}"
    return name if port is None else f"{name}/{port}"
