"""The estate: everything that was read, in one model, with the questions that every room asks of it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cloudseg.model.coverage import Coverage, Gap, ScopeRead
from cloudseg.model.edits import apply_edits
from cloudseg.model.peers import Addresses, GroupRef, ListRef
from cloudseg.model.selectors import Carries, InNetworks, InSubnets, by_labels, matches, parts_of, required_label
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model.aliases import Alias
    from cloudseg.model.edits import Edit
    from cloudseg.model.forwarding import Forwarder
    from cloudseg.model.identity import AddressList, Group
    from cloudseg.model.resources import Direction, Resource
    from cloudseg.model.rules import Pipeline, Rule, RuleSet
    from cloudseg.model.selectors import Selector
    from cloudseg.model.services import Endpoint, EndpointService, Firewall, FlowLog, Service
    from cloudseg.model.topology import (
        Entrance,
        Gateway,
        Interface,
        Network,
        Peering,
        RouteTable,
        Subnet,
        Template,
        TransitAttachment,
        TransitTable,
        Workload,
    )
    from cloudseg.traffic import AddressSet

__all__ = ["Estate"]

R = TypeVar("R", bound="Resource")


_NOBODY: frozenset[int] = frozenset()
_PROVIDERS_OWN = frozenset(("host", "identity-aware-proxy"))
"""Ways to what the provider keeps beside networks."""


def _nothing() -> dict[str, Any]:
    return {}


class _Expressed(NamedTuple):
    """Rule sets that choose by expressions: thousands of lists choose by labels, or by place and something else.

    Attributes:
        labelled: those that require a label.
        by_interface: the same by the ids of the interfaces that they choose.
        by_place: the others, by each subnet or network of which they require one; by None those that require neither.
        by_labels: any of them looks at labels, whether it requires one or not.
    """

    labelled: tuple[RuleSet, ...]
    by_interface: Mapping[str, tuple[RuleSet, ...]]
    by_place: Mapping[str | None, tuple[RuleSet, ...]]
    by_labels: bool


@dataclasses.dataclass(frozen=True)
class Estate:
    """The model of everything read. Each kind of resource is a mapping from qualified id to value.

    Attributes:
        taken_at: when the answers were read, ISO 8601 in UTC; the newest of several sources.
        scopes: the scopes that were read.
        pipelines: the pipelines that networks name.
        coverage: what was read in full, in part or not at all.
        gaps: what could not be read or understood.
        notes: what was skipped without loss, for people.
    """

    taken_at: str = ""
    scopes: tuple[ScopeRead, ...] = ()
    pipelines: Mapping[str, Pipeline] = dataclasses.field(default_factory=_nothing)
    networks: Mapping[str, Network] = dataclasses.field(default_factory=_nothing)
    subnets: Mapping[str, Subnet] = dataclasses.field(default_factory=_nothing)
    route_tables: Mapping[str, RouteTable] = dataclasses.field(default_factory=_nothing)
    gateways: Mapping[str, Gateway] = dataclasses.field(default_factory=_nothing)
    peerings: Mapping[str, Peering] = dataclasses.field(default_factory=_nothing)
    transit_attachments: Mapping[str, TransitAttachment] = dataclasses.field(default_factory=_nothing)
    transit_tables: Mapping[str, TransitTable] = dataclasses.field(default_factory=_nothing)
    interfaces: Mapping[str, Interface] = dataclasses.field(default_factory=_nothing)
    workloads: Mapping[str, Workload] = dataclasses.field(default_factory=_nothing)
    templates: Mapping[str, Template] = dataclasses.field(default_factory=_nothing)
    entrances: Mapping[str, Entrance] = dataclasses.field(default_factory=_nothing)
    forwarders: Mapping[str, Forwarder] = dataclasses.field(default_factory=_nothing)
    aliases: Mapping[str, Alias] = dataclasses.field(default_factory=_nothing)
    groups: Mapping[str, Group] = dataclasses.field(default_factory=_nothing)
    rule_sets: Mapping[str, RuleSet] = dataclasses.field(default_factory=_nothing)
    address_lists: Mapping[str, AddressList] = dataclasses.field(default_factory=_nothing)
    services: Mapping[str, Service] = dataclasses.field(default_factory=_nothing)
    endpoints: Mapping[str, Endpoint] = dataclasses.field(default_factory=_nothing)
    endpoint_services: Mapping[str, EndpointService] = dataclasses.field(default_factory=_nothing)
    firewalls: Mapping[str, Firewall] = dataclasses.field(default_factory=_nothing)
    flow_logs: Mapping[str, FlowLog] = dataclasses.field(default_factory=_nothing)
    coverage: Coverage = dataclasses.field(default_factory=Coverage)
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return id(self)

    @staticmethod
    def merged(estates: Sequence[Estate]) -> Estate:
        """Return one estate out of several. Where two hold the same id, the later one wins."""
        if len(estates) == 1:
            return estates[0]
        changes: dict[str, object] = {}
        for field in dataclasses.fields(Estate):
            values = [getattr(estate, field.name) for estate in estates]
            if field.name == "taken_at":
                changes[field.name] = max(values, default="")
            elif field.name == "coverage":
                changes[field.name] = Coverage(r for value in values for r in value.readings)
            elif field.name in {"scopes", "gaps", "notes"}:
                changes[field.name] = tuple(sorted({item for value in values for item in value}))
            else:
                changes[field.name] = {key: item for value in values for key, item in value.items()}
        return dataclasses.replace(Estate(), **changes)  # type: ignore[arg-type]

    def with_edits(self, edits: Iterable[Edit]) -> Estate:
        """Return the estate as it would be after the edits, in their order.

        Raises:
            EditError: an edit names what is not there, or adds what already is.
        """
        return apply_edits(self, edits)

    def members(self, group: str) -> tuple[Interface, ...]:
        """Return the interfaces that belong to a group, in order of their ids; none for an unknown group."""
        known = self.groups.get(group)
        return () if known is None else self.selected(known.selector)

    def carrying(self, identity: str) -> tuple[Interface, ...]:
        """Return the interfaces to which an identity is attached, whether it was read or not, in order of their ids."""
        return self._by_identity.get(identity, ())

    def selected(self, selector: Selector) -> tuple[Interface, ...]:
        """Return the interfaces that a selector chooses, in order of their ids."""
        if isinstance(selector, Carries):
            return self.carrying(selector.identity)
        found = self._selected.get(selector)
        if found is None:
            labels, others = parts_of(selector)
            asked = self._bearing_all(labels) if labels else self._standing_in(_place_of(selector))
            for other in others:
                asked = tuple([interface for interface in asked if matches(other, interface)])
            found = self._selected[selector] = asked
        return found

    def _bearing_all(self, labels: Sequence[tuple[str, str]]) -> tuple[Interface, ...]:
        """Return the interfaces that bear every one of some labels, in order of their ids."""
        first, *rest = (self._bearing.get(label, _NOBODY) for label in labels)
        return tuple([self._ordered_interfaces[place] for place in sorted(first.intersection(*rest))])

    def _standing_in(self, place: InSubnets | InNetworks | None) -> tuple[Interface, ...]:
        """Return the interfaces that stand in any of some subnets or networks, in order of their ids; None for all."""
        match place:
            case InSubnets(subnets):
                each = [self._by_subnet.get(subnet, ()) for subnet in subnets]
            case InNetworks(networks):
                each = [self._by_network.get(network, ()) for network in networks]
            case None:
                return self._ordered_interfaces
        if len(each) == 1:
            return each[0]
        return tuple(sorted(chain.from_iterable(each), key=lambda interface: interface.id))

    def governed(self, rule_set: RuleSet) -> tuple[Interface, ...]:
        """Return the interfaces that a rule set judges, in order of their ids."""
        return self.selected(rule_set.applies)

    def rule_sets_at(self, stage: str) -> tuple[RuleSet, ...]:
        """Return the rule sets that a stage evaluates, in order of their ids."""
        return self._rule_sets_by_stage.get(stage, ())

    def judging(self, interface: Interface, stage: str, direction: Direction | None = None) -> tuple[RuleSet, ...]:
        """Return the rule sets of a stage that select the interface, in order of their ids.

        Args:
            interface: the interface.
            stage: the name of the stage.
            direction: only those that judge packets of this direction; None for all. A list that does not isolate in
                the direction adds what it admits there to others that do, and says nothing by itself.
        """
        judges = self._selecting(interface, stage) if stage in self._rule_sets_by_stage else ()
        if not judges or direction is None:
            return judges
        # A list comprehension takes half as long as a generator, and every interface is asked about every stage.
        isolating = [direction in judge.isolates for judge in judges]
        if all(isolating):
            return judges
        if not any(isolating):
            return ()
        return tuple(
            judge
            for judge in judges
            if direction in judge.isolates or any(rule.direction == direction for rule in judge.rules)
        )

    def _selecting(self, interface: Interface, stage: str) -> tuple[RuleSet, ...]:
        # Thousands of interfaces carry the same groups in the same subnet; each is asked only where a list chooses by
        # anything else.
        others = self._other_rule_sets_by_stage.get(stage)
        asked = interface.id if others is not None and others.by_labels else ""
        key = (stage, interface.network, interface.subnet, interface.attached, asked)
        known = self._judging.get(key)
        if known is None:
            carried = [
                self.rule_sets[identity]
                for identity in sorted(interface.attached)
                if identity in self._carried_rule_sets and self.rule_sets[identity].stage == stage
            ]
            here = () if interface.subnet is None else self._rule_sets_by_subnet.get((stage, interface.subnet), ())
            chosen = (*here, *(() if others is None else self._expressed(others, interface)))
            known = self._judging[key] = (*carried, *sorted(chosen, key=lambda rule_set: rule_set.id))
        return known

    def _expressed(self, others: _Expressed, interface: Interface) -> Iterator[RuleSet]:
        """Yield the rule sets that choose an interface by an expression."""
        if self.interfaces.get(interface.id) is interface:
            yield from others.by_interface.get(interface.id, ())
        else:
            yield from (rule_set for rule_set in others.labelled if matches(rule_set.applies, interface))
        for place in dict.fromkeys((interface.subnet, interface.network, None)):
            for rule_set in others.by_place.get(place, ()):
                if matches(rule_set.applies, interface):
                    yield rule_set

    def route_table_of(self, subnet: Subnet) -> RouteTable | None:
        """Return the table that routes for a subnet: the one that names it, else its network's main table.

        None means that it was not read: where a table is missing, that one may name the subnet. Source:
        https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
        """
        named = self._tables_by_subnet.get(subnet.id)
        if named is not None or not self.read("routes", subnet):
            return named
        return self._main_tables.get(subnet.network)

    def route_table_at(self, gateway: str) -> RouteTable | None:
        """Return the table by which an internet gateway hands in what comes from outside; None where it has none."""
        return self._tables_by_gateway.get(gateway)

    @cached_property
    def selects_by_labels(self) -> bool:
        """Whether any list or group chooses its interfaces by their labels."""
        return any(by_labels(selector) for selector in self._selectors)

    @cached_property
    def chosen_by_labels(self) -> Mapping[str, tuple[int, ...]]:
        """The selectors of lists and groups that choose an interface by labels, as numbers, by its id.

        Interfaces of which they are the same are told apart by no label: others are for people.
        """
        lists: defaultdict[str, list[int]] = defaultdict(list)
        for number, selector in enumerate(dict.fromkeys(self._selectors)):
            if by_labels(selector):
                for interface in self.selected(selector):
                    lists[interface.id].append(number)
        return {key: tuple(numbers) for key, numbers in lists.items()}

    def interfaces_in(self, network: str) -> tuple[Interface, ...]:
        """Return the interfaces of a network, in order of their ids."""
        return self._by_network.get(network, ())

    def interfaces_of(self, owner: str) -> tuple[Interface, ...]:
        """Return the interfaces of a workload or service, in order of their ids."""
        return self._by_owner.get(owner, ())

    def subnets_in(self, network: str) -> tuple[Subnet, ...]:
        """Return the subnets of a network, in order of their ids."""
        return self._subnets_by_network.get(network, ())

    def references_to(self, identity: str) -> tuple[tuple[RuleSet, Rule], ...]:
        """Return the rules that name a group or an address list as their peer, with the rule sets they stand in."""
        return self._references.get(identity, ())

    def entrances_to(self, interface: Interface) -> tuple[Entrance, ...]:
        """Return the entrances that lead to an interface, in order of their ids."""
        if not self.entrances:
            return ()
        by_target = self._entrances_by_target
        found = {entrance.id: entrance for entrance in by_target.get(interface.id, ())}
        for owner in (interface.workload, interface.subnet):
            if owner is not None and owner in by_target:
                found |= {entrance.id: entrance for entrance in by_target[owner]}
        for entrance in self._entrances_by_address.get(interface.network or "", ()):
            if entrance.target_addresses.overlaps(interface.addresses):
                found[entrance.id] = entrance
        return tuple(found[key] for key in sorted(found))

    def owner_of(self, interface: Interface) -> Workload | Service | None:
        """Return what owns an interface, as far as it was read."""
        if interface.workload is None:
            return None
        return self.workloads.get(interface.workload) or self.services.get(interface.workload)

    def read(self, facet: str, resource: Resource) -> bool:
        """Tell whether a facet was read in full in the scope and region of a resource: absence then means absence."""
        return self.coverage.was_read(facet, resource.provider, resource.scope, resource.region)

    @cached_property
    def _judging(self) -> dict[tuple[str, str | None, str | None, frozenset[str], str], tuple[RuleSet, ...]]:
        return {}

    @cached_property
    def _selected(self) -> dict[Selector, tuple[Interface, ...]]:
        return {}

    @cached_property
    def _selectors(self) -> tuple[Selector, ...]:
        return (
            *(rule_set.applies for rule_set in self.rule_sets.values()),
            *(group.selector for group in self.groups.values()),
        )

    @cached_property
    def served(self) -> AddressSet:
        """The addresses outside from which the provider alone sends: its hosts, its proxies for who has logged in."""
        found = NO_ADDRESSES
        for table in self.route_tables.values():
            for route in table.routes:
                gateway = None if route.target is None else self.gateways.get(route.target)
                if gateway is not None and gateway.kind in _PROVIDERS_OWN and isinstance(route.destination, Addresses):
                    found |= route.destination.addresses
        return found

    @cached_property
    def _ordered_interfaces(self) -> tuple[Interface, ...]:
        return _ordered(self.interfaces)

    @cached_property
    def _by_identity(self) -> dict[str, tuple[Interface, ...]]:
        return _grouped((identity, i) for i in self._ordered_interfaces for identity in i.attached)

    @cached_property
    def _bearing(self) -> dict[tuple[str, str], set[int]]:
        """The interfaces that bear a label, by key and value, as places in the order of ids."""
        found: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for place, interface in enumerate(self._ordered_interfaces):
            for label in interface.labels.items():
                found[label].add(place)
        return dict(found)

    @cached_property
    def _by_network(self) -> dict[str, tuple[Interface, ...]]:
        return _grouped((i.network, i) for i in self._ordered_interfaces if i.network is not None)

    @cached_property
    def _by_subnet(self) -> dict[str, tuple[Interface, ...]]:
        return _grouped((i.subnet, i) for i in self._ordered_interfaces if i.subnet is not None)

    @cached_property
    def _by_owner(self) -> dict[str, tuple[Interface, ...]]:
        return _grouped((i.workload, i) for i in self._ordered_interfaces if i.workload is not None)

    @cached_property
    def _entrances_by_target(self) -> dict[str, tuple[Entrance, ...]]:
        return _grouped((target, entrance) for entrance in _ordered(self.entrances) for target in entrance.targets)

    @cached_property
    def _entrances_by_address(self) -> dict[str, tuple[Entrance, ...]]:
        """Entrances that name addresses, by the network of these."""
        named = (entrance for entrance in _ordered(self.entrances) if entrance.target_addresses)
        return _grouped((entrance.network, entrance) for entrance in named if entrance.network is not None)

    @cached_property
    def _subnets_by_network(self) -> dict[str, tuple[Subnet, ...]]:
        return _grouped((subnet.network, subnet) for subnet in _ordered(self.subnets))

    @cached_property
    def _rule_sets_by_stage(self) -> dict[str, tuple[RuleSet, ...]]:
        return _grouped((rule_set.stage, rule_set) for rule_set in _ordered(self.rule_sets))

    @cached_property
    def _carried_rule_sets(self) -> frozenset[str]:
        return frozenset(key for key, value in self.rule_sets.items() if value.applies == Carries(key))

    @cached_property
    def _other_rule_sets_by_stage(self) -> dict[str, _Expressed]:
        found = _grouped(
            (rule_set.stage, rule_set)
            for rule_set in _ordered(self.rule_sets)
            if rule_set.id not in self._carried_rule_sets and not isinstance(rule_set.applies, InSubnets)
        )
        return {stage: self._by_expression(rule_sets) for stage, rule_sets in found.items()}

    def _by_expression(self, rule_sets: tuple[RuleSet, ...]) -> _Expressed:
        labelled = tuple(rule_set for rule_set in rule_sets if required_label(rule_set.applies) is not None)
        chosen = _grouped((interface.id, rule_set) for rule_set in labelled for interface in self.governed(rule_set))
        places = _grouped(
            (place, rule_set)
            for rule_set in rule_sets
            if required_label(rule_set.applies) is None
            for place in _names_of(_place_of(rule_set.applies))
        )
        return _Expressed(labelled, chosen, places, any(by_labels(rule_set.applies) for rule_set in rule_sets))

    @cached_property
    def _rule_sets_by_subnet(self) -> dict[tuple[str, str], tuple[RuleSet, ...]]:
        return _grouped(
            ((rule_set.stage, subnet), rule_set)
            for rule_set in _ordered(self.rule_sets)
            if isinstance(rule_set.applies, InSubnets)
            for subnet in rule_set.applies.subnets
        )

    @cached_property
    def _tables_by_subnet(self) -> dict[str, RouteTable]:
        return {subnet: table for table in _ordered(self.route_tables) for subnet in table.subnets}

    @cached_property
    def _tables_by_gateway(self) -> dict[str, RouteTable]:
        return {gateway: table for table in _ordered(self.route_tables) for gateway in table.gateways}

    @cached_property
    def _main_tables(self) -> dict[str, RouteTable]:
        return {table.network: table for table in _ordered(self.route_tables) if table.is_main}

    @cached_property
    def _references(self) -> dict[str, tuple[tuple[RuleSet, Rule], ...]]:
        found: list[tuple[str, tuple[RuleSet, Rule]]] = []
        for rule_set in _ordered(self.rule_sets):
            for rule in rule_set.rules:
                for peer in rule.remote:
                    if isinstance(peer, GroupRef):
                        found.append((peer.group, (rule_set, rule)))
                    elif isinstance(peer, ListRef):
                        found.append((peer.list, (rule_set, rule)))
        return _grouped(found)


def _place_of(selector: Selector) -> InSubnets | InNetworks | None:
    """Return where everything stands that a selector chooses; None where it names no place."""
    return next((part for part in parts_of(selector).others if isinstance(part, InSubnets | InNetworks)), None)


def _names_of(place: InSubnets | InNetworks | None) -> frozenset[str | None]:
    """Return the ids of the subnets or networks of a place; None stands for everywhere."""
    match place:
        case InSubnets(subnets):
            return frozenset(subnets)
        case InNetworks(networks):
            return frozenset(networks)
        case None:
            return frozenset((None,))


def _ordered(resources: Mapping[str, R]) -> tuple[R, ...]:
    return tuple(resources[key] for key in sorted(resources))


K = TypeVar("K")
V = TypeVar("V")


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    lists: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        lists[key].append(value)
    return {key: tuple(values) for key, values in lists.items()}
