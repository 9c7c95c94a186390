"""What an explanation says beside its steps: other addresses, load balancers in front, what no list filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import own_id
from cloudseg.reach.explaining.ends import bearers
from cloudseg.reach.explaining.words import called
from cloudseg.reach.outside import outside_words
from cloudseg.reach.ways import find_ways_in
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.reach.explaining.choice import Found
    from cloudseg.reach.reachability import Reachability, Verdict

__all__ = ["about_ends", "about_others", "unread_ways"]

_OWN_TO_EACH = AddressSet.parse("169.254.0.0/16, fd00:ec2::/32")
"""Instance metadata, time and names. Sources:
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html"""


def about_ends(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> tuple[str, ...]:
    """Return what is worth knowing about the ends themselves."""
    return tuple(_about_ends(reach, source, target))


def _about_ends(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> Iterator[str]:
    for end in (source, target):
        if isinstance(end, AddressSet) and (names := bearers(reach, end)):
            named = ", ".join(map(own_id, names))
            yield (
                f"interfaces of the estate bear some of these addresses, {named} among them: this is about the other "
                "addresses; name an interface to see what holds for it"
            )
    if isinstance(target, AddressSet) and target.overlaps(_OWN_TO_EACH):
        yield "no group and no network ACL filters what an instance asks of its metadata, time and name services"
    interface = None if isinstance(target, AddressSet) else reach.estate.interfaces.get(target)
    for entrance in () if interface is None else reach.estate.entrances_to(interface):
        if entrance.through:
            names = sorted(entrance.through)
            yield (
                f"{', '.join(called(name, reach.estate.forwarders.get(name)) for name in names)} hands connections on "
                f"to it as {called(entrance.id, entrance)}: the load balancer opens these itself, so ask for the way "
                "from its own interfaces"
            )


def about_others(source: str | AddressSet, target: str | AddressSet, found: Found, verdict: Verdict) -> tuple[str, ...]:
    """Return what is worth knowing about other addresses than those that are explained."""
    notes: list[str] = []
    walk = found.walk
    for end, explained, preposition in ((source, walk.source, "from"), (target, walk.target, "to")):
        if isinstance(end, AddressSet) and end != explained:
            told = f"of {outside_words(end)}, the steps are about {outside_words(explained)}"
            most = f"most traffic passes {preposition} these"
            notes.append(f"{told}; {most if verdict.upper else f'nothing passes {preposition} the others either'}")
    more = (verdict.upper - walk.upper) | (verdict.lower - walk.lower)
    if more:
        notes.append(f"{more} passes between other addresses of the ends, or on another way")
    interfaces = isinstance(source, str) and isinstance(target, str)
    missed = interfaces and found.complete and (found.lower != verdict.lower or found.upper != verdict.upper)
    if missed or not (found.lower <= verdict.lower and found.upper <= verdict.upper):
        notes.append(
            f"the steps do not account for the verdict: they let {found.lower} through for sure, {found.upper} at most"
        )
    return tuple(notes)


def unread_ways(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> tuple[str, ...]:
    """Return what was not read and may hold further ways from the internet to the target."""
    if isinstance(target, AddressSet) or not isinstance(source, AddressSet):
        return ()
    interface = reach.estate.interfaces.get(target)
    return () if interface is None else find_ways_in(interface, reach.estate).unread
