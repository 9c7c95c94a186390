"""What an explanation says beside its steps: other addresses, load balancers in front, what no list filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import shown_id
from cloudseg.reach.behind_balancers import balancers_before, handed_on_notes
from cloudseg.reach.explaining.ends import bearers
from cloudseg.reach.explaining.words import called
from cloudseg.reach.outside import outside_words
from cloudseg.reach.ways import find_ways_in
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Interface
    from cloudseg.reach.explaining.choice import Found
    from cloudseg.reach.reachability import Reachability, Verdict

__all__ = ["about_ends", "about_others", "unread_ways"]

_OWN_TO_EACH = AddressSet.parse("169.254.0.0/16, fd00:ec2::/32")
"""Instance metadata, time and names. Sources:
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html"""

_SHOWN = "under its clients' addresses"


def about_ends(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> tuple[str, ...]:
    """Return what is worth knowing about the ends themselves."""
    return tuple(_about_ends(reach, source, target))


def _about_ends(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> Iterator[str]:
    for end in (source, target):
        if isinstance(end, AddressSet) and (names := bearers(reach, end)):
            named = ", ".join(map(shown_id, names))
            yield (
                f"interfaces of the estate bear some of these addresses, {named} among them: this is about the other "
                "addresses; name an interface to see what holds for it"
            )
    if isinstance(target, AddressSet) and target.overlaps(_OWN_TO_EACH):
        yield "no group and no network ACL filters what an instance asks of its metadata, time and name services"
    interface = None if isinstance(target, AddressSet) else reach.estate.interfaces.get(target)
    if interface is not None:
        yield from _about_balancers(reach, source, interface)


def _about_balancers(reach: Reachability, source: str | AddressSet, target: Interface) -> Iterator[str]:
    """Yield what load balancers hand on to a target; of interfaces of the estate both ways are asked about apart."""
    estate = reach.estate
    before = balancers_before((target.id,), estate)
    known = {behind.forwarder.id for behind in before}
    for entrance in estate.entrances_to(target):
        if names := sorted(entrance.through - known):
            yield (
                f"{', '.join(called(name, estate.forwarders.get(name)) for name in names)} hands connections on to it "
                f"as {called(entrance.id, entrance)}, and its interfaces were not read"
            )
    if isinstance(source, AddressSet):
        yield from handed_on_notes(reach, source, (target.id,))
        return
    opener = estate.interfaces.get(source)
    for forwarder, forward, _, _ in before:
        if forward.keeps_client is not False and (opener is None or opener.workload != forwarder.id):
            name = called(forwarder.id, forwarder)
            heard = "what it listens to" if forward.listens is None else str(forward.listens)
            shown = "under its clients' addresses, or may do so" if forward.keeps_client is None else _SHOWN
            yield (
                f"load balancer {name} hands {heard} on to it as {forward.traffic} {shown}: these are two ways, so ask "
                f"for the one to {name} and for the one from its own interfaces"
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
