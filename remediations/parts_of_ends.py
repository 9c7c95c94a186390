"""The parts of a rule's other end: who is to be named, what stays as addresses, and what goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cloudseg.checks.internal_ranges import InternalRange
    from cloudseg.model import Interface, Peer, Rule, RuleSet
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Apart", "Kept", "NotApart", "Standing"]


class Kept(NamedTuple):
    """Addresses that stay in a rule.

    Attributes:
        addresses: the addresses, all of them admitted today.
        traffic: what they need.
        why: why no group names them, in words.
        owner: who answers for them; empty where nobody is named.
        expires: until when they are allowed, ISO 8601; empty where nobody said.
        outside: nobody who was read bears them, so that they want an owner and an expiry.
    """

    addresses: AddressSet
    traffic: Traffic
    why: str
    owner: str = ""
    expires: str = ""
    outside: bool = False


class NotApart(NamedTuple):
    """Why the other end of a rule cannot be taken apart.

    Attributes:
        reason: why, in one sentence.
        steps: what people can do.
    """

    reason: str
    steps: tuple[str, ...] = ()


class Apart(NamedTuple):
    """The other end of a rule, taken apart.

    Attributes:
        needed: those who can be named by a group, by qualified id, with what they need.
        admitted: ids of all for whom it changes nothing to be named: they are admitted today under every address that
            they bear, or they are never the other end.
        kept: what stays as addresses.
        written: the addresses that this is about.
        elsewhere: those of them where no group can stand.
        rest: the other peers of the rule, which this is not about and which stay.
        dropped: what else no longer passes afterwards and nobody is known to need, one sentence each.
        risks: what could break that no proof sees, one sentence each.
        facts: what it rests on, one sentence each.
        narrowed: conversations or an intent say who needs the rule; else all who were read keep it.
        judged: whom the rule judges.
        others: everybody who was read and may be the other end today.
        unneeded: why those of them do not need it who are not among the needed ones, as the end of a sentence.
        networks: qualified ids of the networks in which the needed ones stand.
        unused: nobody needs the rule, as far as conversations and intent tell.
    """

    needed: dict[str, Traffic]
    admitted: frozenset[str]
    kept: tuple[Kept, ...]
    written: AddressSet
    elsewhere: AddressSet
    rest: tuple[Peer, ...]
    dropped: tuple[str, ...]
    risks: tuple[str, ...]
    facts: tuple[str, ...]
    narrowed: bool
    judged: tuple[Interface, ...]
    others: tuple[Interface, ...]
    unneeded: str
    networks: tuple[str, ...]
    unused: bool


class Standing(NamedTuple):
    """A rule where it stands, and the internal part of its other end."""

    rule_set: RuleSet
    rule: Rule
    internal: InternalRange
