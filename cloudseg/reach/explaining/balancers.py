"""Load balancers and the provider's plumbing as ends: what they take, what they open, and under whose address.

What passes where they hand connections on is the engine's to say, for that depends on all their clients and targets.
Here it is told which step they are, and why.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cloudseg.reach.end_names import end_label
from cloudseg.reach.explaining.rules import Other
from cloudseg.reach.explaining.ways import approaches, are_near, route_links, ways_back
from cloudseg.reach.explaining.words import called
from cloudseg.reach.handovers import Handovers, sent_for_clients
from cloudseg.reach.pairs.parcels import PROXIED, keeps_unread_targets
from cloudseg.reach.plumbing import conduct, may_keep_users
from cloudseg.reach.private_links import is_before
from cloudseg.traffic import ALL_ADDRESSES, NO_TRAFFIC

if TYPE_CHECKING:
    from cloudseg.model import Estate, Forwarder, Interface
    from cloudseg.reach.explaining.ends import Face
    from cloudseg.reach.explaining.link import Link
    from cloudseg.reach.explaining.links import Linker
    from cloudseg.reach.explaining.walk import Walk
    from cloudseg.reach.explaining.walks import Walker
    from cloudseg.reach.handovers import Handover
    from cloudseg.reach.reachability import Verdict
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["clipped", "consumed", "handed_on", "is_special", "may_hand_on", "opened", "received", "served"]

_ESTATES = 4
_OVER_LINK: Final = "whether the load balancer asks its groups about private endpoints is a setting of it"


@lru_cache(maxsize=_ESTATES)
def _handovers(estate: Estate) -> Handovers:
    return Handovers(estate)


def is_special(interface: Interface, estate: Estate) -> bool:
    """Tell whether an interface is a load balancer's, or one of those that behave in ways of their own."""
    return interface.workload in estate.forwarders or interface.keeps_client or conduct(interface) != "ordinary"


def _passes_on(linker: Linker, interface: Interface) -> Link:
    reason = f"{interface.shown_id} passes packets of others on: it neither opens connections nor takes any"
    return linker.blocking(
        "gateway", f"interface {end_label(interface, linker.estate)} ({interface.role})", reason, interface.id
    )


def opened(linker: Linker, source: Interface, target: Interface | None, estate: Estate) -> Link | None:
    """Return the link of what an interface opens connections for, under its own address; None for any other.

    Args:
        linker: makes the links.
        source: the interface.
        target: the other end; None outside of the estate.
        estate: the estate.
    """
    match conduct(source):
        case "passes on":
            return _passes_on(linker, source)
        case "answers":
            reason = f"{source.shown_id} answers connections, and opens none"
            return linker.blocking(
                "gateway", f"interface {end_label(source, linker.estate)} ({source.role})", reason, source.id
            )
        case "proxy":
            return _proxied(linker, source, estate)
        case "unknown":
            doubt = f"to whom {source.shown_id} opens connections is its provider's affair"
            return linker.doubtful(
                "gateway", f"interface {end_label(source, linker.estate)} ({source.role})", (doubt,), source.id
            )
        case _:
            pass
    if source.workload in estate.forwarders:
        return _sent(linker, source, target, estate)
    if source.keeps_client:
        text = "the target sees the user or the endpoint"
        return linker.doubtful("translation", text, (_under_users(source),), source.id)
    return None


def _proxied(linker: Linker, source: Interface, estate: Estate) -> Link:
    """Return the link of what a proxy opens for its users, under its own address or, at most, under theirs."""
    text = f"interface {end_label(source, linker.estate)} ({source.role})"
    if may_keep_users(source, estate):
        link = linker.doubtful("gateway", text, (_under_users(source),), source.id)
    else:
        link = linker.passing("gateway", text, source.id)
    lower, upper = link.lower & PROXIED, link.upper & PROXIED
    reason = link.reason if upper == linker.traffic else f"{source.shown_id} is a proxy for {PROXIED} alone"
    return link._replace(lower=lower, upper=upper, reason=reason)


def _under_users(source: Interface) -> str:
    opens = "opens" if source.keeps_client else "may open"
    return f"{source.shown_id} {opens} connections that bear the addresses of its users, which are not known"


def _parcels(source: Interface, target: Interface | None, estate: Estate) -> tuple[list[Handover], str]:
    """Return what a node hands to an interface, and why it hands it nothing, in words; empty if that is all it is."""
    handed, refused = _handovers(estate).of(estate.forwarders[source.workload or ""])
    found = [each for each in handed if each.node is source and each.target is target]
    reasons = dict.fromkeys(each.reason for each in refused if each.node is source and each.target is target)
    return found, "; ".join(reasons)


def may_hand_on(source: Interface, target: Interface, estate: Estate) -> bool:
    """Tell whether an interface may send another one connections that bear the addresses of a load balancer's clients.

    What a node sends under its own address is a way like any other, and lists see that address alone.
    """
    forwarder = estate.forwarders.get(source.workload or "")
    if forwarder is None:
        return False
    parcels, _ = _parcels(source, target, estate)
    return keeps_unread_targets(forwarder) or any(each.forward.keeps_client is not False for each in parcels)


def _sent(linker: Linker, source: Interface, target: Interface | None, estate: Estate) -> Link:
    """Return the link of what a node sends to a target under its own address, at most."""
    forwarder = estate.forwarders[source.workload or ""]
    name = called(forwarder.id, forwarder)
    parcels, reason = _parcels(source, target, estate)
    if not parcels:
        text = f"load balancer {name}"
        if forwarder.complete:
            reason = reason or f"{name} opens connections only to its targets"
            return linker.blocking("balancer", text, reason, forwarder.id)
        return linker.doubtful("balancer", text, (f"not all targets of {name} were read",), forwarder.id)
    sent, sure, kept = NO_TRAFFIC, NO_TRAFFIC, sent_for_clients(forwarder)
    doubts: dict[str, None] = {}
    for each in parcels:
        shown = NO_TRAFFIC if each.forward.keeps_client else each.forward.traffic
        sent |= each.forward.checks | shown
        sure |= (each.forward.checks - kept) | (NO_TRAFFIC if each.forward.keeps_client is None else shown)
        doubts.update(dict.fromkeys(each.doubts))
        if each.forward.keeps_client is None:
            doubts["whether the target sees the clients' addresses was not read"] = None
        elif alone := each.forward.checks & kept & linker.traffic:
            doubts[_checks_alone(alone)] = None
    groups = ", ".join(dict.fromkeys(each.forward.name for each in parcels))
    text = f"load balancer {name} sends {sent} to its targets {groups} under its own address"
    sent &= linker.traffic
    lower = NO_TRAFFIC if any(each.doubts for each in parcels) else sure & linker.traffic
    reason = "; ".join(doubts) if doubts else "" if sent == linker.traffic else f"it sends only {sent} that way"
    link = linker.passing("balancer", text, forwarder.id)
    return link._replace(lower=lower, upper=sent, reason=reason, doubts=tuple(doubts))


def _checks_alone(traffic: Traffic) -> str:
    return f"health checks of {traffic} come from the load balancer itself, and tell nothing of its clients"


def received(linker: Linker, interface: Interface, estate: Estate) -> Link | None:
    """Return the link of a target that takes what it listens to, or nothing; None for any other."""
    if conduct(interface) == "passes on":
        return _passes_on(linker, interface)
    forwarder = estate.forwarders.get(interface.workload or "")
    if forwarder is None:
        return None
    name = called(forwarder.id, forwarder)
    text = f"load balancer {name}"
    if forwarder.accepts is None:
        return linker.doubtful("balancer", text, (f"the listeners of {name} were not read",), forwarder.id)
    taken = forwarder.accepts & linker.traffic
    heard = f"{name} listens only to {forwarder.accepts}" if forwarder.accepts else f"{name} has no listener today"
    reason = "" if taken == linker.traffic else heard
    link = linker.passing("balancer", text, forwarder.id)
    return link._replace(lower=taken, upper=taken, reason=reason)


def clipped(walk: Walk, verdict: Verdict) -> Walk:
    """Return a walk that lets through no more than the ends do."""
    lower, upper = walk.lower & verdict.lower, walk.upper & verdict.upper
    *links, end = walk.links
    if (lower, upper) != (walk.lower, walk.upper):
        doubt = "what is handed on depends on the clients and the targets of load balancers"
        end = end._replace(reason=doubt, doubts=(doubt,) if lower != upper else ())
    return walk._replace(links=(*links, end), lower=lower, upper=upper)


def handed_on(walker: Walker, source: Face, target: Face, verdict: Verdict) -> Walk:
    """Return the way of connections that bear another address than that of the interface which opens them.

    Args:
        walker: walks.
        source: the interface.
        target: who takes them.
        verdict: what passes between the two on any way.
    """
    linker, estate = walker.linker, walker.estate
    forwarder = estate.forwarders.get(source.interface.workload or "")
    hands, seen = _who(linker, source.interface, target.interface, estate)
    there = Other(target.addresses, target.interface)
    links = [hands, *linker.stateful(source.interface, "egress", there, target.text)]
    if not are_near(source.interface, target.interface, estate):
        out = max(approaches(source.interface, target.interface, target.addresses, estate), key=lambda each: each.level)
        home = max(ways_back(target.interface, source, estate), key=lambda each: each.level)
        links += route_links(linker, source.interface, out)
        links += route_links(linker, target.interface, home, back=True)
    links.append(linker.passing("translation", seen, target.interface.id))
    checks = NO_TRAFFIC if forwarder is None else _checked(source.interface, target.interface, forwarder, estate)
    links.append(_let_in(linker, target.interface, verdict, checks))
    # Of what passes, every step lets it pass, whatever it would do to packets of the interface's own.
    lower, upper = verdict.lower & linker.traffic, verdict.upper & linker.traffic
    links = [link._replace(lower=link.lower | lower, upper=link.upper | upper) for link in links]
    walk = walker.walk(source.addresses, target, links)
    # Who comes over a private endpoint may get in whatever the groups say: no rule of theirs is told to stop it.
    if is_before(source.interface, target.interface, estate):
        return walk._replace(lower=lower, upper=upper, seen_by_target=())
    asked = (Other(ALL_ADDRESSES, None, grouped=False), Other(source.addresses, source.interface))
    return walk._replace(lower=lower, upper=upper, seen_by_target=asked)


def _who(linker: Linker, source: Interface, target: Interface, estate: Estate) -> tuple[Link, str]:
    """Return the link of who hands connections on, and whom the target sees, in words."""
    forwarder = estate.forwarders.get(source.workload or "")
    if is_before(source, target, estate):
        name = called(target.workload or "", estate.forwarders.get(target.workload or ""))
        doubt = f"whether the private endpoint {source.shown_id} leads to {name}, and what it lets through, is not told"
        return linker.doubtful("balancer", f"private endpoint {source.shown_id}", (doubt,), source.id), _OVER_LINK
    if forwarder is None:
        text = f"interface {end_label(source, linker.estate)}"
        return linker.doubtful("translation", text, (_under_users(source),), source.id), "it sees the user"
    name = called(forwarder.id, forwarder)
    parcels, _ = _parcels(source, target, estate)
    kept = [each for each in parcels if each.forward.keeps_client is not False]
    sent = NO_TRAFFIC
    for each in kept:
        sent |= each.forward.traffic
    doubts = dict.fromkeys(doubt for each in kept for doubt in each.doubts)
    groups = ", ".join(dict.fromkeys(each.forward.name for each in kept))
    text = f"load balancer {name} sends {sent} on to its targets {groups}" if kept else f"load balancer {name}"
    link = linker.passing("balancer", text, forwarder.id)
    if kept:
        link = link._replace(
            lower=NO_TRAFFIC if doubts else sent & linker.traffic,
            upper=sent & linker.traffic,
            reason="; ".join(doubts),
            doubts=tuple(doubts),
        )
    return link, "the target sees the clients that reach the load balancer"


def _checked(source: Interface, target: Interface, forwarder: Forwarder, estate: Estate) -> Traffic:
    """Return what a node asks a target by itself of what it also sends there for clients under their addresses."""
    checks = NO_TRAFFIC
    for each in _parcels(source, target, estate)[0]:
        checks |= each.forward.checks
    return checks & sent_for_clients(forwarder)


def _let_in(linker: Linker, interface: Interface, verdict: Verdict, checks: Traffic = NO_TRAFFIC) -> Link:
    """Return the link of what the lists of an interface admit of any of several senders; checks are none of these."""
    lower, upper = verdict.lower & linker.traffic, verdict.upper & linker.traffic
    text = f"lists of {end_label(interface, linker.estate)}, asked about all of these"
    link = linker.passing("stage", text, interface.id, direction="ingress")
    if lower == linker.traffic:
        return link
    if not upper:
        return link._replace(lower=lower, upper=upper, reason=f"{interface.shown_id} takes none of it from any of them")
    alone = (upper - lower) & checks
    unknown = "from which of these it comes is not known"
    # Two doubts: the first is that of the load balancer's own step, too, and is told once.
    doubts = (_checks_alone(alone), "whether it admits any of the clients is not certain") if alone else (unknown,)
    reason = "; ".join(doubts) if lower != upper else f"only {lower} is admitted"
    return link._replace(lower=lower, upper=upper, reason=reason, doubts=doubts if lower != upper else ())


def _may_serve(forwarder: Forwarder, target: Interface, estate: Estate) -> bool:
    """Tell whether something without interfaces of its own may send to an interface."""
    if not forwarder.seen_as or not forwarder.complete:
        return bool(forwarder.seen_as)
    handed, _ = _handovers(estate).of(forwarder)
    return any(each.target is target for each in handed)


def _was_read(name: str, estate: Estate) -> bool:
    listed = estate.address_lists.get(name)
    return listed is not None and listed.prefixes is not None


def consumed(walker: Walker, addresses: AddressSet, target: Face, verdict: Verdict) -> Walk:
    """Return the way over a private endpoint that no answer lists, to a load balancer behind an endpoint service."""
    forwarder = walker.estate.forwarders.get(target.interface.workload or "")
    name = called(target.interface.workload or "", forwarder)
    doubt = f"who comes to {name} over private endpoints of accounts that were not read is not known"
    enter = walker.linker.doubtful("balancer", "over a private endpoint that was not read", (doubt,))
    walk = walker.walk(addresses, target, [enter, _let_in(walker.linker, target.interface, verdict)])
    asked = forwarder is not None and forwarder.groups_on_private_link is True
    seen = (Other(addresses, None, grouped=False),) if asked else ()
    return walk._replace(lower=NO_TRAFFIC, upper=verdict.upper & walker.linker.traffic, seen_by_target=seen)


def served(walker: Walker, addresses: AddressSet, target: Face, verdict: Verdict) -> Walk:
    """Return the way from a service without interfaces of its own, which sends to its targets from listed addresses."""
    linker, estate = walker.linker, walker.estate
    services = [each for _, each in sorted(estate.forwarders.items()) if _may_serve(each, target.interface, estate)]
    names = [called(each.id, each) for each in services]
    unread = sorted({name for each in services for name in each.seen_as if not _was_read(name, estate)})
    doubts = ["whether the service sends anything is its own affair"]
    doubts += [f"the addresses of {called(name)}, from which it sends, were not read" for name in unread]
    enter = linker.doubtful("balancer", f"from a service that has no interfaces: {', '.join(names)}", tuple(doubts))
    walk = walker.walk(addresses, target, [enter, _let_in(linker, target.interface, verdict)])
    seen = Other(addresses, None, grouped=False)
    return walk._replace(lower=NO_TRAFFIC, upper=verdict.upper & linker.traffic, seen_by_target=(seen,))
