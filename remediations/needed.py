"""What is needed of a rule: what was seen to use it and what the intent allows, where that is all there is to know."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.exposure import PROBES
from cloudseg.checks.rule_lists import counted, shown
from cloudseg.model import Addresses, GroupRef, ListRef, shown_id
from cloudseg.observed.logged import day_of
from cloudseg.reach.packets import outside_addresses
from cloudseg.remediations.address_parts import united
from cloudseg.remediations.permissions import few_ports
from cloudseg.remediations.replacing import Kept
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Estate, Rule
    from cloudseg.observed.ends import End
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.demand import Passing, Through
    from cloudseg.remediations.replacing import At
    from cloudseg.traffic import Traffic

__all__ = [
    "Needed",
    "Unknown",
    "behind_balancer",
    "by_port",
    "by_source",
    "called",
    "needed_of",
    "told",
    "unread_lists",
]

_PROBES_OF_AZURE: Final = AddressSet.parse("168.63.129.16")
_RANGES: Final = 6
"""So many ranges of ports a protocol may have; those next to each other are joined inside of what is open today."""


class Unknown(NamedTuple):
    """Why it is not known what is needed of a rule.

    Attributes:
        reason: in one sentence.
        steps: what people can do.
        witness: what shows it; empty for nothing.
    """

    reason: str
    steps: tuple[str, ...] = ()
    witness: str = ""


class Needed(NamedTuple):
    """What is needed of a rule, at all of its places together.

    Attributes:
        passing: the needs, by other end.
        gone: accepted conversations whose other end is not there any more.
        facts: what that rests on, one sentence each.
        seen: conversations were looked at, not the intent alone.
    """

    passing: tuple[Passing, ...]
    gone: int
    facts: tuple[str, ...]
    seen: bool

    @property
    def traffic(self) -> Traffic:
        """All traffic that is needed."""
        found = NO_TRAFFIC
        for each in {each.traffic for each in self.passing}:
            found |= each
        return found

    @property
    def risks(self) -> tuple[str, ...]:
        """What the evidence does not show, one sentence each."""
        rare = "failover, disaster recovery, scaling and yearly work may not have happened in the window: ask the owner"
        gone = f"{counted(self.gone, 'conversation')} had another end that is gone, and what it used is not kept"
        return (*((rare,) if self.seen else ()), *((gone,) if self.gone else ()))


def needed_of(context: RemedyContext, places: Sequence[At]) -> Needed | Unknown:
    """Return what is needed of a rule, or why that is not known."""
    if not context.demand.given:
        return Unknown(
            "no flow logs and no intent were given, so that nobody can say what is needed of it",
            ("give observed conversations with --flows, or the intended traffic with --intent",),
        )
    windows: list[str] = []
    intended = False
    for rule_set, rule in places:
        evidence = context.evidence(rule_set, rule)
        if not evidence.complete:
            return Unknown(
                f"what was not seen may be needed all the same: {evidence.reason}",
                ("log everything that it judges for some weeks, or write down in the intent what is meant",),
            )
        windows += [evidence.window] if evidence.window else []
        intended = intended or evidence.intended
    throughs = [context.through(rule_set, rule) for rule_set, rule in places]
    if why := _unsure(throughs):
        return why
    facts = (
        *(f"the logs cover {window}" for window in dict.fromkeys(windows)),
        *(("the intent says what is meant",) if intended else ()),
    )
    passing = tuple(each for through in throughs for each in through.passing)
    return Needed(passing, sum(through.gone for through in throughs), facts, bool(windows))


def _unsure(throughs: Iterable[Through]) -> Unknown | None:
    for through in throughs:
        if through.unplaced:
            return Unknown(
                f"{counted(through.unplaced, 'accepted conversation')} may have used it, opened by nobody knows whom",
                ("log TCP flags, so that it is known who opens a connection",),
            )
        if through.unknown:
            end = through.unknown[0]
            return Unknown(
                f"{counted(len(through.unknown), 'other end')} of conversations that may have used it are not known",
                ("read the accounts that these addresses belong to",),
                f"{end.address}: {end.reason}",
            )
    return None


def by_port(needed: Needed, within: Traffic) -> tuple[Kept, ...]:
    """Return what is kept of a rule whose other end stays: the traffic that is needed, joined to a few ranges."""
    traffic = few_ports(needed.traffic & within, within, _RANGES)
    return (Kept(traffic, None, (*needed.facts, *told(needed.passing))),) if traffic else ()


def by_source(context: RemedyContext, places: Sequence[At], needed: Needed) -> tuple[Kept, ...]:
    """Return what is kept of a rule that names addresses: from where it was used, and for what.

    Machines of the estate stand for the range of their subnet, since their addresses change; everybody else for the
    address itself. Lists that were not read stay as they are.
    """
    rule = places[0].rule
    unread = _unread(context.estate, rule)
    plain = tuple(peer for peer in rule.remote if not (isinstance(peer, ListRef) and peer.list in unread))
    most = outside_addresses(plain, context.estate)[1]
    # Of a list that was not read no range stands for a part.
    groups = tuple(peer for peer in rule.remote if isinstance(peer, GroupRef) or peer not in plain)
    ranges: defaultdict[str, list[Passing]] = defaultdict(list)
    held: dict[str, AddressSet] = {}
    for each in needed.passing:
        found = _range_of(context.estate, each) & most
        if found:
            held[str(found)] = found
            ranges[str(found)].append(each)
    by_traffic: defaultdict[Traffic, list[str]] = defaultdict(list)
    for name in sorted(ranges):
        traffic = NO_TRAFFIC
        for part in {each.traffic for each in ranges[name]}:
            traffic |= part
        by_traffic[few_ports(traffic & rule.traffic, rule.traffic, _RANGES)].append(name)
    kept: list[Kept] = [*(by_port(needed, rule.traffic) if groups else ())]
    kept = [each._replace(remote=groups) for each in kept]
    for traffic, names in by_traffic.items():
        addresses = united(held[name] for name in names)
        users = [each for name in names for each in ranges[name]]
        kept.append(Kept(traffic, (Addresses(addresses),), (*needed.facts, *told(users), *_owners(users))))
    return (*kept, *_probes(context, places, most))


def unread_lists(estate: Estate, rule: Rule) -> str:
    """Return why the addresses of a rule stay as they are: lists that were not read; empty where all of them were.

    Such a list may hold anything, so that no range stands for a part of it.
    """
    names = ", ".join(map(shown_id, _unread(estate, rule)))
    return f"the entries of {names} were not read, so that {rule.id} stays as it is" if names else ""


def _unread(estate: Estate, rule: Rule) -> tuple[str, ...]:
    names = dict.fromkeys(peer.list for peer in rule.remote if isinstance(peer, ListRef))
    lists = {name: estate.address_lists.get(name) for name in names}
    return tuple(name for name, each in lists.items() if each is None or each.addresses is None)


def _range_of(estate: Estate, passing: Passing) -> AddressSet:
    """Return the range by which an end is named: of a machine its subnet, where it was called by an address in that."""
    logged = AddressSet.parse(passing.other.address) if passing.other.address else NO_ADDRESSES
    interface = estate.interfaces.get(passing.other.interface)
    if interface is None:
        return logged
    subnet = estate.subnets.get(interface.subnet or "")
    own = interface.addresses
    if subnet is not None and own <= subnet.addresses:
        own = subnet.addresses
    # Who comes over the internet bears another address there.
    return own | (logged & GLOBAL_UNICAST)


def called(estate: Estate, end: End) -> str:
    """Return what to call an end: as the log or the intent names it, else by its interface, else by its address."""
    interface = estate.interfaces.get(end.interface)
    return end.name or (end.address if interface is None else interface.label)


def behind_balancer(context: RemedyContext, place: At) -> bool:
    """Tell whether a rule judges anybody to whom a load balancer hands connections on, whose health it asks after."""
    targets = context.once("targets of load balancers", lambda: _targets(context.estate))
    return any(
        each.id in targets or each.workload in targets or context.estate.entrances_to(each)
        for each in context.judged(*place)
    )


def _targets(estate: Estate) -> frozenset[str | None]:
    """Return the interfaces and workloads that load balancers hand connections on to, those named by address too."""
    found: set[str] = set()
    for forwarder in estate.forwarders.values():
        for forward in forwarder.forwards:
            for target in forward.targets:
                if target.target is not None:
                    found.add(target.target)
                elif target.network is not None:
                    here = estate.interfaces_in(target.network)
                    found.update(each.id for each in here if each.addresses.overlaps(target.address))
    return frozenset(found)


def _probes(context: RemedyContext, places: Sequence[At], most: AddressSet) -> tuple[Kept, ...]:
    """Return what is kept for the health checks of load balancers, which no log shows, or few do.

    Sources: https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges and
    https://learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview
    """
    rule_set, rule = places[0]
    own = {"gcp": PROBES, "azure": _PROBES_OF_AZURE}.get(rule_set.provider, NO_ADDRESSES) & most
    if not own or rule.direction != "ingress" or not any(behind_balancer(context, place) for place in places):
        return ()
    return (Kept(rule.traffic, (Addresses(own),), ("health checks of load balancers come from there",)),)


def told(passing: Sequence[Passing]) -> tuple[str, ...]:
    """Return who needs what, in words: how often it was opened, by how many, and when last."""
    seen = [each for each in passing if each.connections]
    meant = [each for each in passing if each.intended]
    found: list[str] = []
    if seen:
        connections = sum(each.connections for each in seen)
        last = day_of(max(each.last_seen for each in seen))
        ends = shown(sorted({each.other.address for each in seen}), 3)
        found.append(f"observed: {counted(connections, 'connection')} with {ends}, last seen {last}")
    if meant:
        names = shown(sorted({each.other.name or each.other.address for each in meant}), 3)
        found.append(f"intended: {names}")
    return tuple(found)


def _owners(passing: Sequence[Passing]) -> tuple[str, ...]:
    """Return who answers for ends outside, and until when, in words."""
    found = sorted(
        {
            f"{each.other.name or each.other.address} is answered for by {each.owner}"
            + (f", until {each.expires}" if each.expires else "")
            for each in passing
            if each.owner
        }
    )
    return tuple(found)
