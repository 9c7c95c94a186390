"""Rules that name ``VirtualNetwork`` or ``Internet`` where it is not known which of the two some addresses belong to.

Every public address belongs to exactly one of them, and an address either belongs to ``VirtualNetwork`` for all rules
or for none. So what an earlier rule has answered for them a later one does not answer again, and where both answer
alike there is no doubt left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Rule, Verdict
    from cloudseg.providers.azure.translate.parts import ParsedRule
    from cloudseg.traffic import Traffic

__all__ = ["Part", "Settled"]

_TAGS: Final = ("virtualnetwork", "internet")


class Part(NamedTuple):
    """A part of what a rule is about.

    Attributes:
        traffic: the packets.
        unknown: how the rule stands to the addresses of which it is not known whether its tag has them: ``open``, it is
            not known; ``settled``, an earlier rule has answered if it has them; ``agreed``, an earlier rule has given
            the same answer if it has not, so that this one holds for all of the public ones.
    """

    traffic: Traffic
    unknown: str


class Settled:
    """What rules have answered so far for addresses of which it is not known which tag has them."""

    def __init__(self) -> None:
        self._answered: dict[tuple[Direction, str], dict[Verdict, Traffic]] = {}

    def parts(self, each: ParsedRule) -> Iterator[Part]:
        """Yield the parts of a rule; one that names none of the two tags, or both of them, is one part."""
        named = [tag for tag in _TAGS if any(text.lower() == tag for text in each.remote)]
        traffic = each.rule.traffic
        if len(named) != 1:
            yield Part(traffic, "open")
            return
        own = self._answers(each.rule, named[0])
        other = self._answers(each.rule, _TAGS[1 - _TAGS.index(named[0])])
        taken = NO_TRAFFIC
        for answered in own.values():
            taken |= answered
        agreed = other.get(each.rule.verdict, NO_TRAFFIC) - taken
        for part, unknown in ((taken, "settled"), (agreed, "agreed"), (ALL_TRAFFIC - taken - agreed, "open")):
            if found := traffic & part:
                yield Part(found, unknown)
        if _is_plain(each):
            own[each.rule.verdict] = own.get(each.rule.verdict, NO_TRAFFIC) | (traffic - taken)

    def _answers(self, rule: Rule, tag: str) -> dict[Verdict, Traffic]:
        return self._answered.setdefault((rule.direction, tag), {})


def _is_plain(each: ParsedRule) -> bool:
    """Tell whether a rule answers for everybody at its own end, whatever the client's port."""
    # Whoever is judged belongs to the network itself.
    everybody = any(text.lower() in {"*", "any", "virtualnetwork"} for text in each.local)
    return each.rule.exact and each.rule.source_ports is None and everybody
