"""Load balancers: forwarding rules, and what they lead to by themselves or through proxies."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Alias, AliasPort, Entrance, own_id
from cloudseg.providers.gcp.ids import name_of, region_of, tail_of
from cloudseg.providers.gcp.translate.backends import Backends, Behind
from cloudseg.providers.gcp.translate.balancing_parts import FACET, Led
from cloudseg.providers.gcp.translate.balancing_wire import ForwardingRule
from cloudseg.providers.gcp.translate.fronts import FRONT_ENDS, Front, is_private_service_connect, listens_of, whole
from cloudseg.providers.gcp.translate.inner_proxies import add_inner_proxies, proxy_ranges
from cloudseg.providers.gcp.translate.services.serverless import BALANCED
from cloudseg.providers.gcp.translate.unsure_fronts import enter_unlisted, past_routes
from cloudseg.providers.gcp.translate.url_maps import services_of
from cloudseg.providers.gcp.translate.wire import labels_of
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.backends import Member
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_load_balancers", "join_serverless"]

_WHAT: Final = "compute.forwarding_rules"
_UNREAD: Final = "whether a backend takes connections was not read, or none does"
_MAYBE: Final = "which machines are behind it was not read in full"


def add_load_balancers(answers: Answers, draft: Draft) -> None:
    """Add what forwarding rules lead to.

    A passthrough load balancer hands packets on as they came, to its own address; a proxy opens connections of its
    own: Google's front ends from their ranges, regional ones from the network's proxy-only subnet. Where a service mesh
    is told of backends, clients open connections to these themselves. Sources:
    https://cloud.google.com/load-balancing/docs/forwarding-rule-concepts,
    https://cloud.google.com/load-balancing/docs/passthrough-network-load-balancer,
    https://cloud.google.com/load-balancing/docs/proxy-only-subnets and
    https://cloud.google.com/service-mesh/docs/service-routing/service-routing-overview
    """
    rules = [
        rule
        for rule in answers.listed("compute", "forwarding_rules", ForwardingRule, FACET)
        if not is_private_service_connect(rule) and "/targetVpnGateways/" not in tail_of(rule.target or "")
    ]
    if not answers.complete("compute", "forwarding_rules"):
        enter_unlisted(answers, draft)
    if not rules:
        return
    reader = _Reader(answers, draft, rules)
    for rule in rules:
        if rule.load_balancing_scheme.upper() != "INTERNAL_SELF_MANAGED":
            reader.add(rule)
    reader.finish()


class _Reader:
    def __init__(self, answers: Answers, draft: Draft, rules: Iterable[ForwardingRule]) -> None:
        self._answers = answers
        self._steered: defaultdict[str | None, AddressSet] = defaultdict(lambda: NO_ADDRESSES)
        for rule in rules:
            texts = rule.source_ip_ranges or ()
            self._steered[rule.address] |= answers.addresses(_WHAT, rule.name, texts, FACET)
        self._draft = draft
        self._parts = draft.balancing
        self._backends = Backends(answers, draft)
        self._aliases: defaultdict[tuple[str, AddressSet, str], list[tuple[Front, AliasPort]]] = defaultdict(list)

    def add(self, rule: ForwardingRule) -> None:
        """Add one forwarding rule with what it leads to."""
        front = self._front(rule)
        target = self._draft.named(rule.target, self._answers.scope) if rule.target else ""
        if target in self._parts.proxies or "Prox" in target:
            self._proxied(front, target)
            return
        if rule.backend_service:
            service = self._draft.named(rule.backend_service, self._answers.scope)
            self._remark(front, service)
            behind = self._backends.of(service, proxied=False)
        elif target in self._parts.pools:
            behind = self._backends.of_pool(target)
        elif target in self._parts.targets:
            behind = self._backends.of_instance(target)
        else:
            behind = self._backends.unread(target or front.id)
        self._passed(front, behind)

    def _front(self, rule: ForwardingRule) -> Front:
        region = region_of(rule.region or rule.self_link)
        place = "global" if region == "global" else f"regions/{region}"
        link = rule.link(self._answers.scope, f"{place}/forwardingRules")
        scheme = rule.load_balancing_scheme.upper()
        return Front(
            rule,
            self._draft.named(link, self._answers.scope),
            self._answers.addresses(_WHAT, tail_of(link), (rule.address,), FACET),
            listens_of(rule),
            region,
            scheme.startswith("EXTERNAL") or (not scheme.startswith("INTERNAL") and not rule.subnetwork),
            self._network_of(rule),
        )

    def _network_of(self, rule: ForwardingRule) -> str | None:
        if rule.network:
            return self._draft.named(rule.network, self._answers.scope)
        named = self._draft.named(rule.subnetwork, self._answers.scope) if rule.subnetwork else ""
        subnet = self._draft.subnets.get(named)
        return None if subnet is None else subnet.network

    def _note_unread(self, front: Front, behind: Behind) -> None:
        if not behind.complete:
            self._answers.gap(_WHAT, own_id(front.id), "unread", _MAYBE, FACET)
        elif not front.address:
            self._answers.gap(_WHAT, own_id(front.id), "unread", "it has an address that was not read", FACET)
        for each in behind.others if front.external else ():
            self._answers.note(f"{front.rule.name}: it leads the internet to {each}, which is judged nowhere")

    def _remark(self, front: Front, service: str) -> None:
        """Note what judges requests before they come to backends; it is not taken into account."""
        known = self._parts.services.get(service)
        if known is None:
            return
        guards = [f"Cloud Armor ({name_of(known.security_policy)})"] if known.security_policy else []
        guards += ["Identity-Aware Proxy"] if known.iap is not None and known.iap.enabled else []
        for guard in guards:
            self._answers.note(
                f"{front.rule.name}: {guard} judges what comes to {known.name}; whom it stops is not taken into account"
            )

    def _passed(self, front: Front, behind: Behind) -> None:
        """Let packets pass to targets as they came: these see the client's address, and their own as the front's.

        Where none is healthy, packets go to all of them. Source:
        https://cloud.google.com/load-balancing/docs/internal/failover-overview
        """
        self._note_unread(front, behind)
        sure = frozenset(each.interface for each in behind.members if each.interface and each.target.healthy)
        every = frozenset(each.interface for each in behind.members if each.interface) | behind.maybe
        for target in every:
            interface = self._draft.interfaces[target]
            called = interface.called | front.address
            self._draft.interfaces[target] = msgspec.structs.replace(interface, called=called)
        if not front.external:
            heard = whole(front.listens)
            port = AliasPort(listens=heard, sends=heard, targets=every)
            self._aliases[front.network or "", front.address, "" if front.address else front.id].append((front, port))
            led = tuple(each.target for each in behind.members)
            self._parts.fronts[front.id] = Led(led, front.listens, front.network, complete=behind.complete)
            return
        texts = front.rule.source_ip_ranges or ()
        senders = self._answers.addresses(_WHAT, own_id(front.id), texts, FACET) if texts else ALL_ADDRESSES
        # Another rule of the same address may take those of some sources. Source:
        # https://cloud.google.com/load-balancing/docs/network/networklb-backend-service#traffic_steering
        steered = NO_ADDRESSES if texts else self._steered[front.rule.address]
        for targets, clients, active, part in (
            (sure, senders - steered, True, ""),
            (sure, steered, None, "/steered"),
            (every - sure, senders, None, "/at-most"),
        ):
            if targets and clients:
                self._enter_straight(front, targets, part, clients, active=active)

    def _enter_straight(
        self, front: Front, targets: frozenset[str], part: str, senders: AddressSet, *, active: bool | None
    ) -> None:  # fmt: skip
        entrance = Entrance(
            id=f"{front.id}{part}",
            kind="forwarding-rule",
            name=front.rule.name,
            region=front.region,
            tags=labels_of(front.rule),
            targets=targets,
            traffic=front.listens,
            clients=senders,
            senders=senders,
            listens=front.listens,
            active=active,
            doubt="" if active else _UNREAD,
            straight=True,
            addresses=front.address,
            unlisted=not front.address,
        )
        self._draft.put(self._draft.entrances, entrance, self._answers.scope)
        for more in past_routes(self._draft, entrance):
            self._draft.put(self._draft.entrances, more, self._answers.scope)

    def _proxied(self, front: Front, target: str) -> None:
        """Let a proxy open connections to backends, for clients that reach its front."""
        services = services_of(self._draft, target, self._answers.scope)
        behind = Behind() if services is not None else self._backends.unread(target)
        if not behind.complete:
            self._note_unread(front, behind)
        found: dict[str, Behind] = {}
        for service in services or ():
            self._remark(front, service)
            found[service] = each = self._backends.of(service, proxied=True)
            self._note_unread(front, each)
            behind |= each
            for managed in each.services if front.external else ():
                self._parts.serverless.setdefault(managed, set()).add(front.rule.name)
        if not front.external:
            add_inner_proxies(self._answers, self._draft, front, found, complete=behind.complete)
            return
        # A global proxy may have a regional front. Source: https://cloud.google.com/load-balancing/docs/https
        regional = own_id(target).startswith("regions/")
        clients = proxy_ranges(self._draft, front) if regional else FRONT_ENDS
        for service, each in found.items():
            self._enter(front, name_of(service), each.members, clients)
        if behind.maybe:
            self._enter_unread(front, behind.maybe, clients)

    def _enter(self, front: Front, service: str, members: tuple[Member, ...], clients: AddressSet) -> None:
        together: defaultdict[tuple[Traffic, bool], list[Member]] = defaultdict(list)
        for member in members:
            together[member.traffic, member.target.healthy is True].append(member)
        for (traffic, sure), found in together.items():
            addresses: defaultdict[str | None, AddressSet] = defaultdict(lambda: NO_ADDRESSES)
            for member in found:
                if not member.interface:
                    addresses[member.target.network] |= member.target.address
            part = f"{front.id}/{service}/{traffic}{'' if sure else '/at-most'}"
            targets = frozenset(member.interface for member in found if member.interface)
            entrance = self._entrance(front, part, targets, traffic, clients, sure=sure)
            if targets:
                self._draft.put(self._draft.entrances, entrance, self._answers.scope)
            for network, named in addresses.items():
                if network is not None and named:
                    more = msgspec.structs.replace(
                        entrance, id=f"{part}/{name_of(network)}", targets=frozenset(), target_addresses=named,
                        network=network,
                    )  # fmt: skip
                    self._draft.put(self._draft.entrances, more, self._answers.scope)

    def _enter_unread(self, front: Front, maybe: frozenset[str], clients: AddressSet) -> None:
        """Add the way to whoever may be behind a load balancer of which not everything was read."""
        every = Traffic.protocol(6)
        entrance = self._entrance(front, f"{front.id}/unread", maybe, every, clients, sure=False)
        entrance = msgspec.structs.replace(entrance, doubt=_MAYBE)
        self._draft.put(self._draft.entrances, entrance, self._answers.scope)

    def _entrance(
        self, front: Front, identifier: str, targets: frozenset[str], traffic: Traffic, clients: AddressSet,
        *, sure: bool,
    ) -> Entrance:  # fmt: skip
        return Entrance(
            id=identifier,
            kind="forwarding-rule",
            name=front.rule.name,
            region=front.region,
            tags=labels_of(front.rule),
            targets=targets,
            traffic=traffic,
            clients=clients,
            listens=front.listens,
            active=True if sure else None,
            doubt="" if sure else _UNREAD,
            addresses=front.address,
        )

    def finish(self) -> None:
        """Add the names of load balancers inside networks."""
        for (network, address, _), found in self._aliases.items():
            front = found[0][0]
            alias = Alias(
                id=front.id, kind="forwarding-rule", name=front.rule.name, region=front.region,
                tags=labels_of(front.rule), words=tuple(dict.fromkeys(each.rule.name for each, _ in found)),
                addresses=address, ports=tuple(port for _, port in found), network=network,
            )  # fmt: skip
            self._draft.put(self._draft.aliases, alias, self._answers.scope)


def join_serverless(draft: Draft) -> None:
    """Tell managed services that only load balancers make public that one leads to them.

    Source: https://cloud.google.com/run/docs/securing/ingress
    """
    for identifier, names in draft.balancing.serverless.items():
        service = draft.services.get(identifier)
        if service is not None and service.public is None:
            led = ", ".join(sorted(names))
            reason = service.reason.replace(BALANCED, f", and the load balancer {led} leads to it")
            draft.services[identifier] = msgspec.structs.replace(service, public=True, reason=reason)
