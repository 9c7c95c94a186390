"""How bad it is when the internet reaches a port: one table decides, and every exposure check reads it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from weakref import WeakKeyDictionary

from cloudseg.checks.clusters import of_cluster
from cloudseg.checks.ordered_lists import by_resource
from cloudseg.checks.rule_lists import unused_words
from cloudseg.findings import Severity
from cloudseg.reach.internet import Exposure, InternetView, joined
from cloudseg.traffic import ALL_IPV4, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet, Traffic
from cloudseg.traffic.port_classes import (
    BARE_ADMINISTRATION,
    DATABASES,
    PING,
    REMOTE_DESKTOP,
    SHELLS_AND_FILES,
    WEB,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet
    from cloudseg.reach.internet import Alike
    from cloudseg.reach.packets import Box
    from cloudseg.reach.ways import Through

__all__ = [
    "EVERYONE",
    "PORT_CLASSES",
    "PROBES",
    "PortClass",
    "PublicServices",
    "RuleExposure",
    "classes_of",
    "is_everything",
    "open_rules",
    "public_words",
    "severity_of",
]

# A public source of fewer addresses than this is somebody's office, not the internet.
NARROW_SOURCE: Final = 256


class PortClass(NamedTuple):
    """A class of ports that are equally bad to expose.

    Attributes:
        name: in words, for messages.
        traffic: the ports.
        exposed: severity when the internet reaches one of them.
        latent: severity when a rule opens one of them to the internet and nothing can arrive today.
    """

    name: str
    traffic: Traffic
    exposed: Severity
    latent: Severity


PORT_CLASSES: Final = (
    PortClass(
        "unauthenticated administration (Docker 2375, etcd 2379-2380, kubelet 10250)",
        BARE_ADMINISTRATION,
        Severity.CRITICAL,
        Severity.MEDIUM,
    ),
    PortClass("remote desktop, WinRM and SMB", REMOTE_DESKTOP, Severity.CRITICAL, Severity.MEDIUM),
    PortClass("databases and caches", DATABASES, Severity.CRITICAL, Severity.MEDIUM),
    PortClass("SSH, telnet, FTP, NFS and LDAP", SHELLS_AND_FILES, Severity.HIGH, Severity.LOW),
)
EVERYONE: Final = "the whole internet"
"""What :func:`public_words` says of all public addresses."""
_IPV4: Final = GLOBAL_UNICAST & ALL_IPV4
_IPV6: Final = GLOBAL_UNICAST & AddressSet.parse("2000::/3")
_RANGES_SHOWN: Final = 3
PROBES: Final = AddressSet.from_cidrs(
    (
        "35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22",
        "2600:2d00:1:1::/64", "2600:2d00:1:b029::/64", "2600:1901:8001::/48",
    )
)  # fmt: skip
"""From where Google Cloud's load balancers and health checks come, and nobody else. Sources:
https://cloud.google.com/load-balancing/docs/firewall-rules and
https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""
# Everything from the first to the last port but one or two is everything in effect.
_NEARLY_ALL_PORTS: Final = 65_000


@lru_cache(maxsize=4096)
def is_everything(traffic: Traffic) -> bool:
    """Tell whether traffic is "all ports" in effect: every port of TCP or UDP, or all but a few."""
    return any(traffic.ports_of(protocol).size >= _NEARLY_ALL_PORTS for protocol in (6, 17))


@lru_cache(maxsize=4096)
def classes_of(traffic: Traffic) -> tuple[PortClass, ...]:
    """Return the classes of ports that traffic touches, worst first."""
    return tuple(known for known in PORT_CLASSES if known.traffic.overlaps(traffic))


@lru_cache(maxsize=65536)
def severity_of(
    traffic: Traffic, sources: AddressSet, *, latent: bool = False, public_service: bool = False
) -> Severity:
    """Return the severity of traffic that the internet may open.

    Args:
        traffic: what is open.
        sources: the public addresses that may open it.
        latent: nothing can arrive today.
        public_service: it belongs to a load balancer, a VPN or a declared public service.
    """
    if is_everything(traffic):
        severity = Severity.MEDIUM if latent else Severity.CRITICAL
    elif classes := classes_of(traffic):
        severity = min((c.latent if latent else c.exposed for c in classes), key=lambda s: s.rank)
    elif traffic <= PING or (public_service and traffic <= WEB | PING):
        return Severity.INFO
    else:
        severity = Severity.LOW if latent else Severity.MEDIUM
    return severity.lowered() if sources.size < NARROW_SOURCE else severity


@lru_cache(maxsize=65536)
def public_words(sources: AddressSet) -> str:
    """Return public source addresses in words: the whole internet, or how much of it.

    A few blocks that are missing (a network's own public range) leave it whole; a range of /8 or /3 is reported by its
    size: it is neither everyone nor a few. Of IPv6 only 2000::/3 is handed out. Source:
    https://www.iana.org/assignments/ipv6-unicast-address-assignments
    """
    four, six = _IPV4 - sources, _IPV6 - sources
    whole4, whole6 = four.size < _IPV4.size >> 10, six.size < _IPV6.size >> 10
    if whole4 or whole6:
        return EVERYONE if whole4 and whole6 else f"the whole IPv{4 if whole4 else 6} internet"
    parts: list[str] = []
    for family, everything in ((4, _IPV4), (6, _IPV6)):
        part = sources & everything
        if part.size > everything.size >> 16:
            parts.append(f"{100 * part.size / everything.size:.2g} % of the IPv{family} internet")
        elif part:
            parts.append(_few(part))
    return " and ".join(parts) or "IPv6 addresses that nobody has been given"


def _few(addresses: AddressSet) -> str:
    ranges = str(addresses).split(", ")
    more = len(ranges) - _RANGES_SHOWN
    return ", ".join(ranges[:_RANGES_SHOWN]) + (f" and {more} more ranges" if more > 0 else "")


class Shown(NamedTuple):
    """Some packets that arrive at one interface.

    Attributes:
        interface: the interface.
        packets: the packets, by who really sends them.
        through: the load balancers that they come through; None where they come straight.
    """

    interface: Interface
    packets: Box
    through: Through | None


class RuleExposure(NamedTuple):
    """What one ingress rule lets in from the internet, over all the interfaces that it judges.

    Attributes:
        rule_set: the rule set.
        rule: the rule.
        exposure: everything that it delivers, joined over the interfaces.
        maybe: the interfaces that something reaches at most.
        judged: every interface that the rule judges.
        sources: the public addresses that the rule admits at most.
        verdict: ``exposed``, ``unknown`` or ``latent``.
        all_read: every interface that may carry the rule set was read.
        shown: what arrives at one interface, for sure where anything does; None where no interface is known.
    """

    rule_set: RuleSet
    rule: Rule
    exposure: Exposure
    maybe: tuple[Interface, ...]
    judged: tuple[Interface, ...]
    sources: AddressSet
    verdict: Literal["exposed", "unknown", "latent"]
    all_read: bool
    shown: Shown | None = None


def open_rules(context: AuditContext) -> Iterator[RuleExposure]:
    """Yield every allowing ingress rule that admits public addresses, with what it really lets in.

    A rule for the addresses or the group of a public load balancer that hands packets on admits its clients with it. So
    may one for those of interfaces that an accelerator or a content network has in front of it.

    Rule sets at a subnet's boundary only narrow what others let in, so they are no subject here; nor are rules that the
    provider requires. Several checks ask for
    the same, so the answer is kept with the view that it was worked out from.
    """
    known = _KNOWN.get(context.internet)
    if known is None:
        known = _KNOWN[context.internet] = tuple(_assessed(context))
    yield from known


_KNOWN: WeakKeyDictionary[InternetView, tuple[RuleExposure, ...]] = WeakKeyDictionary()


def _assessed(context: AuditContext) -> Iterator[RuleExposure]:
    estate, view = context.estate, context.internet
    # An interface whose groups were not read in full may carry any group of its network.
    doubtful = frozenset(interface.network for interface in estate.interfaces.values() if interface.attached_unread)
    stages = {stage.name: stage for pipeline in estate.pipelines.values() for stage in pipeline.ingress}
    others = {
        name
        for name, stage in stages.items()
        if stage.at == "platform" or (stage.at in {"subnet-boundary", "network"} and not stage.stateful)
    }
    # What a network's list passes on, the lists at its interfaces judge.
    networks = {name for name, stage in stages.items() if stage.at == "network"}
    own = NO_ADDRESSES
    for network in estate.networks.values():
        own |= network.addresses
    asked = (each for _, each in sorted(estate.rule_sets.items()) if each.stage not in others and not of_cluster(each))
    # A hundred thousand rules share a few thousand ends.
    public: dict[tuple[Peer, ...], AddressSet] = {}
    of_probes: set[tuple[Peer, ...]] = set()
    ours = own | PROBES
    for places in by_resource(tuple(asked)):
        by_rule: dict[str, list[RuleExposure]] = {}
        for rule_set in places:
            all_read = estate.read("interfaces", rule_set) and not doubtful & {rule_set.network, None}
            judged = tuple(interface for alike in view.alike(rule_set) for interface in alike.members)
            fronted = any(
                way.balanced or not way.shows_clients
                for alike in view.alike(rule_set)
                for way in view.opening(alike.members[0]).ways
            )
            stage = stages.get(rule_set.stage)
            ordered = stage is not None and stage.match == "first" and stage.miss == "next"
            hands_on = ordered or rule_set.stage in networks
            for rule in rule_set.rules:
                if rule.direction != "ingress" or rule.required or not rule.allows:
                    continue
                known = public.get(rule.remote)
                if known is None:
                    known = public[rule.remote] = view.public_sources(rule)[1]
                    if known and known <= PROBES:
                        of_probes.add(rule.remote)
                if not (known or fronted) or (hands_on and rule.verdict == "next"):
                    continue
                if rule.remote in of_probes and not fronted:
                    continue
                found = _assess(view, rule_set, rule, known, judged, all_read=all_read)
                # What admits no address of the internet, or only ranges that the estate uses itself, opens nothing to
                # the internet but where somebody comes in by it. What the provider wrote waits for nobody.
                if found.maybe or not (known <= ours or rule.fixed):
                    by_rule.setdefault(rule.id, []).append(found)
        for together in by_rule.values():
            yield _at_all_places(together)


def _at_all_places(each: Sequence[RuleExposure]) -> RuleExposure:
    """Return what a rule of one list lets in that stands at several places: it is as open as at the worst of them."""
    if len(each) == 1:
        return each[0]
    worst = min(each, key=lambda found: _WORST_FIRST.index(found.verdict))
    open_ones = [found for found in each if found.verdict != "latent"]
    sources = NO_ADDRESSES
    for found in each:
        sources |= found.sources
    return worst._replace(
        exposure=joined(found.exposure for found in open_ones or each),
        maybe=tuple({interface.id: interface for found in each for interface in found.maybe}.values()),
        judged=tuple({interface.id: interface for found in each for interface in found.judged}.values()),
        sources=sources,
        all_read=all(found.all_read for found in each),
    )


_WORST_FIRST: Final = ("exposed", "unknown", "latent")


def _assess(
    view: InternetView,
    rule_set: RuleSet,
    rule: Rule,
    sources: AddressSet,
    judged: tuple[Interface, ...],
    *,
    all_read: bool,
) -> RuleExposure:
    each = view.exposures(rule_set, rule)
    total = joined(exposure for _, exposure in each)
    verdict = total.verdict
    if not judged:
        total = total._replace(blocked=(unused_words(rule_set),))
    elif len(each) < len(view.alike(rule_set)):
        judged = tuple(interface for alike, _ in each for interface in alike.members)
        if not judged:
            total = total._replace(blocked=("no interface is the near end of the rule",))
    if not all_read and verdict == "latent":
        verdict = "unknown"
        total = total._replace(unknown=("not every interface that may carry it was read",))
    reached = () if verdict == "latent" else tuple(one for one in each if one[1].at_most)
    return RuleExposure(
        rule_set=rule_set,
        rule=rule,
        exposure=total,
        # One tuple for all the rules of a list that reach whomever it judges.
        maybe=judged
        if len(reached) == len(each)
        else tuple(interface for alike, _ in reached for interface in alike.members),
        judged=judged,
        sources=sources or total.sources,
        verdict=verdict,
        all_read=all_read,
        shown=_shown(reached),
    )


def _shown(each: Sequence[tuple[Alike, Exposure]]) -> Shown | None:
    """Return packets that reach an interface: certain ones if there are any, and of these straight ones if possible."""
    found = [
        (not exposure.certain, exposure.through is not None, number)
        for number, (_, exposure) in enumerate(each)
        if exposure.packets is not None
    ]
    if not found:
        return None
    alike, exposure = each[min(found)[-1]]
    return None if exposure.packets is None else Shown(alike.members[0], exposure.packets, exposure.through)


class PublicServices:
    """Knows who is there to serve the internet: load balancers, VPNs, bastions and services that are declared public.

    Args:
        estate: the estate.
        declared: ``tag=value`` texts that declare a workload, or an interface, public.
    """

    def __init__(self, estate: Estate, declared: Iterable[str]) -> None:
        self._estate = estate
        self._declared = [(key, value) for key, equals, value in (text.partition("=") for text in declared) if equals]
        self._known: dict[str, bool] = {}
        self._latest: tuple[Sequence[Interface], bool] = ((), False)

    def hold_all(self, interfaces: Sequence[Interface]) -> bool:
        """Tell whether all the interfaces belong to such services; none at all serve nobody."""
        # All the rules of one list are mostly about the same interfaces.
        if interfaces is not self._latest[0]:
            self._latest = interfaces, bool(interfaces) and all(map(self._hold, interfaces))
        return self._latest[1]

    def _hold(self, interface: Interface) -> bool:
        known = self._known.get(interface.id)
        if known is None:
            owner = self._estate.owner_of(interface)
            tags = interface.tags if owner is None else {**interface.tags, **owner.tags}
            known = owner is not None and owner.kind in {"load-balancer", "vpn", "bastion"}
            known = self._known[interface.id] = known or any(tags.get(key) == value for key, value in self._declared)
        return known


def delivered_sources(found: RuleExposure) -> AddressSet:
    """Return the addresses that something is delivered from: the rule's public ones, unless an ACL narrows them."""
    narrowed = found.exposure.sources
    if not narrowed or public_words(narrowed) == public_words(found.sources):
        return found.sources
    return narrowed


def traffic_words(traffic: Traffic) -> str:
    """Return traffic in words: ``all traffic`` or ``tcp/443``."""
    return "all traffic" if traffic.is_all else str(traffic)
