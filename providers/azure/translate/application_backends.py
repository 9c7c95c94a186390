"""Where application gateways send what they took: pools of backends, each asked by some settings."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.model import ANY_ZONE, Forward, ForwardTarget
from cloudseg.providers.azure.ids import name_of, parent_of, qualified_id
from cloudseg.providers.azure.translate.application_wire import ports_of
from cloudseg.providers.azure.translate.wire import ids
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.application_wire import ApplicationGateway, Pool, RoutingRule, Settings
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["Backends", "forwards_of"]

_WHAT: Final = "network.application_gateways"
_FACET: Final = "load-balancers"
_Way = tuple[str, str]
"""A pool and the settings by which it is asked, by their qualified ids."""


class Backends:
    """Finds who is in a pool; interfaces have to be there already.

    Args:
        answers: the subscription's answers.
        draft: where interfaces are looked up, those of other subscriptions too.
    """

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self.answers = answers
        self._draft = draft
        self._by_pool: defaultdict[str, set[str]] = defaultdict(set)
        for identifier, backing in draft.backings.items():
            for pool in backing.pools:
                self._by_pool[pool].add(identifier)

    def of(self, pool: Pool, network: str | None) -> tuple[tuple[ForwardTarget, ...], bool]:
        """Return the backends of a pool, and whether these are all.

        Whether they are healthy no answer tells that is read. What a name stands for is known to nobody but who asks.
        """
        members = self._by_pool[qualified_id(pool.id)] | {
            qualified_id(parent_of(each)) for each in ids(pool.properties.configurations)
        }
        found = [ForwardTarget(target=each, zone=ANY_ZONE) for each in sorted(members)]
        known = all(each in self._draft.interfaces for each in members)
        for each in pool.properties.addresses or ():
            address = self.answers.addresses(_WHAT, pool.id, (each.ip_address or "",), _FACET)
            if address:
                found.append(ForwardTarget(address=address, network=network, zone=ANY_ZONE))
            known = known and bool(address)
        return tuple(found), known


def forwards_of(backends: Backends, wire: ApplicationGateway, network: str | None) -> tuple[tuple[Forward, ...], bool]:
    """Return where a gateway sends what it took, and whether that is all.

    Each rule leads a listener to a pool, or to several by the path that is asked for; backends see the address of an
    instance. Sources:
    https://learn.microsoft.com/azure/application-gateway/how-application-gateway-works and
    https://learn.microsoft.com/azure/application-gateway/configuration-request-routing-rules
    """
    properties = wire.properties
    ports = ports_of(wire)
    pools = {qualified_id(each.id): each for each in properties.pools or ()}
    settings = {qualified_id(each.id): each for each in properties.all_settings}
    probes = {qualified_id(each.id): each.properties.port for each in properties.probes or ()}
    heard: defaultdict[_Way, list[Traffic | None]] = defaultdict(list)
    complete = True
    for rule in properties.all_rules:
        for way in _ways(wire, rule):
            heard[way].append(ports.get(rule.heard_by))
            complete = complete and way[0] in pools
    found: list[Forward] = []
    for (name, asked), listens in heard.items():
        pool, setting = pools.get(name), settings.get(asked)
        if pool is None:
            continue
        targets, known = backends.of(pool, network)
        complete = complete and known
        traffic = _traffic(setting)
        if traffic is None:
            backends.answers.gap(_WHAT, wire.id, "malformed", f"no port at which {pool.name} is asked", _FACET)
        title = pool.name or name_of(pool.id)
        forward = Forward(
            name=f"{title}, by {setting.name or name_of(setting.id)}" if setting is not None else title,
            listens=None if None in listens else _union(listens),
            traffic=Traffic.protocol("tcp") if traffic is None else traffic,
            checks=_checks(setting, probes, traffic),
            keeps_client=False,
            cross_zone=True,
            targets=targets,
        )
        found.append(forward)
    return tuple(found), complete


def _ways(wire: ApplicationGateway, rule: RoutingRule) -> Iterator[_Way]:
    """Yield the pools that a rule leads to, with their settings; none for a redirection."""
    if (way := rule.properties.named) is not None:
        yield way
    named = rule.properties.path_map
    for path_map in wire.properties.path_maps or ():
        if named is not None and named.id and qualified_id(path_map.id) == qualified_id(named.id):
            parts = (path_map.properties, *(each.properties for each in path_map.properties.path_rules or ()))
            yield from (way for part in parts if (way := part.named) is not None)


def _traffic(setting: Settings | None) -> Traffic | None:
    return None if setting is None else _port(setting.properties.port)


def _port(number: int | None) -> Traffic | None:
    return None if number is None or not 0 < number <= 65535 else Traffic.ports("tcp", number, number)


def _checks(setting: Settings | None, probes: dict[str, int | None], traffic: Traffic | None) -> Traffic:
    """Return what instances ask by themselves; without a port of its own a probe asks that of the settings.

    Source: https://learn.microsoft.com/azure/application-gateway/application-gateway-probe-overview
    """
    probe = None if setting is None else setting.properties.probe
    own = None if probe is None or not probe.id else _port(probes.get(qualified_id(probe.id)))
    return own or traffic or NO_TRAFFIC


def _union(parts: list[Traffic | None]) -> Traffic:
    found = NO_TRAFFIC
    for part in parts:
        found |= part or NO_TRAFFIC
    return found
