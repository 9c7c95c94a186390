"""Load balancers of every kind, with the interfaces that AWS keeps for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Forwarder, Interface, Workload
from cloudseg.providers.aws.translate.classic_load_balancers import ClassicBalancers, ClassicWire
from cloudseg.providers.aws.translate.interfaces import global_ipv6, joined
from cloudseg.providers.aws.translate.tags import Tag, tags_of
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_load_balancers"]

_FACET = "load-balancers"
_PUBLIC = "internet-facing"
_MANAGED_BY = "amazon-elb"


class _Address(msgspec.Struct, rename={"public": "IpAddress", "private": "PrivateIPv4Address", "ipv6": "IPv6Address"}):
    public: str = ""
    private: str = ""
    ipv6: str = ""


class _Zone(msgspec.Struct, rename="pascal"):
    zone_name: str = ""
    subnet_id: str = ""
    load_balancer_addresses: list[_Address] = []


class _State(msgspec.Struct, rename="pascal"):
    code: str = ""


class _Balancer(msgspec.Struct, rename="pascal"):
    load_balancer_arn: str
    load_balancer_name: str = ""
    type: str = ""
    scheme: str = ""
    vpc_id: str = ""
    state: _State = msgspec.field(default_factory=_State)
    availability_zones: list[_Zone] = []
    ip_address_type: str = ""
    # Network load balancers made without a group have no such key, and no filter of their own either.
    security_groups: list[str] = []
    on_private_link: str = msgspec.field(default="", name="EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    tags: list[Tag] = []


class _Setting(msgspec.Struct, frozen=True):
    """What the setting of a load balancer says of its interfaces."""

    workload: Workload
    forwarder: Forwarder
    description: str
    groups: frozenset[str]
    zones: tuple[tuple[str, tuple[_Address, ...]], ...]
    always_groups: bool


def add_load_balancers(answers: Answers, draft: Draft) -> None:
    """Add the load balancers, and link the interfaces that name them in their description.

    Where none of its interfaces was read, one is derived for each subnet, with the balancer's groups.
    Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html and
    https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerDescription.html
    """
    classic = ClassicBalancers(answers, draft)
    settings = [
        *(
            _setting(answers, draft, wire)
            for wire in answers.each("elbv2", "describe_load_balancers", "LoadBalancers", _Balancer, _FACET)
        ),
        *(_classic_setting(answers, draft, classic, wire) for wire in classic.listed()),
    ]
    by_description: dict[str, list[str]] = {}
    for interface in draft.interfaces.values():
        if interface.region == answers.region and interface.scope == answers.scope:
            by_description.setdefault(draft.descriptions.get(interface.id, ""), []).append(interface.id)
    for setting in settings:
        draft.put(draft.workloads, setting.workload, answers.scope)
        draft.put(draft.forwarders, setting.forwarder, answers.scope)
        linked = by_description.get(setting.description, ())
        for identifier in linked:
            interface = msgspec.structs.replace(draft.interfaces[identifier], workload=setting.workload.id)
            draft.interfaces[identifier] = interface
        if not linked and setting.workload.running:
            for interface in _derived(answers, draft, setting):
                draft.put(draft.interfaces, interface, answers.scope)


def _setting(answers: Answers, draft: Draft, wire: _Balancer) -> _Setting:
    tags = tags_of(wire.tags)
    workload = Workload(
        id=answers.id(wire.load_balancer_arn),
        kind="load-balancer",
        name=wire.load_balancer_name,
        region=answers.region,
        tags=tags,
        network=draft.id_of(answers, wire.vpc_id) if wire.vpc_id else None,
        internet_facing=wire.scheme == _PUBLIC if wire.scheme or wire.type == "gateway" else None,
        running=wire.state.code != "failed",
    )
    if wire.ip_address_type.startswith("dualstack"):
        draft.dual_stack.add(workload.id)
    forwarder = Forwarder(
        id=workload.id,
        kind=f"{wire.type}-load-balancer" if wire.type else "load-balancer",
        name=wire.load_balancer_name,
        region=answers.region,
        tags=tags,
        # What it listens to and where it sends that is added with the target groups.
        accepts=None,
        complete=False,
        zones=_zones(answers, draft, ((zone.subnet_id, zone.zone_name) for zone in wire.availability_zones)),
        groups_on_private_link={"on": True, "off": False}.get(wire.on_private_link),
    )
    return _Setting(
        workload,
        forwarder,
        f"ELB {wire.load_balancer_arn.partition('loadbalancer/')[2]}",
        frozenset(draft.id_of(answers, group) for group in wire.security_groups),
        tuple((zone.subnet_id, tuple(zone.load_balancer_addresses)) for zone in wire.availability_zones),
        wire.type == "application",
    )


def _zones(answers: Answers, draft: Draft, pairs: Iterable[tuple[str, str]]) -> frozenset[str] | None:
    """Return the zones of subnets, else those named; None where one of them has neither.

    The subnet goes first: in a shared network, the owner and the user may name the same zone differently.
    """
    found: set[str] = set()
    for own, name in pairs:
        subnet = draft.subnets.get(draft.id_of(answers, own)) if own else None
        found.add(name if subnet is None or not subnet.zone else subnet.zone)
    return None if not found or "" in found else frozenset(found)


def _classic_setting(answers: Answers, draft: Draft, classic: ClassicBalancers, wire: ClassicWire) -> _Setting:
    workload = Workload(
        id=answers.id(wire.load_balancer_name),
        kind="load-balancer",
        name=wire.load_balancer_name,
        region=answers.region,
        network=draft.id_of(answers, wire.vpc_id) if wire.vpc_id else None,
        internet_facing=wire.scheme == _PUBLIC if wire.scheme else None,
    )
    pairs = [(own, "") for own in wire.subnets] or [("", name) for name in wire.availability_zones]
    forwarder = Forwarder(
        id=workload.id,
        kind="classic-load-balancer",
        name=wire.load_balancer_name,
        region=answers.region,
        accepts=classic.accepted_by(wire),
        zones=_zones(answers, draft, pairs),
        forwards=classic.forwards_of(wire),
        complete=wire.listener_descriptions is not None,
    )
    return _Setting(
        workload,
        forwarder,
        f"ELB {wire.load_balancer_name}",
        frozenset(draft.id_of(answers, group) for group in wire.security_groups),
        tuple((subnet, ()) for subnet in wire.subnets),
        bool(wire.vpc_id),
    )


def _derived(answers: Answers, draft: Draft, setting: _Setting) -> list[Interface]:
    workload = setting.workload
    what, facing = "elbv2.describe_load_balancers", workload.internet_facing is not False
    unread = setting.always_groups and not setting.groups
    if unread:
        answers.gap(what, workload.own_id, "unread", "SecurityGroups is missing; it always has one", _FACET)
    found: list[Interface] = []
    for subnet, listed in setting.zones:
        if not subnet:
            continue
        addresses = joined(
            answers, what, workload.own_id, _FACET, (text for each in listed for text in (each.private, each.ipv6))
        )
        public = joined(answers, what, workload.own_id, _FACET, (each.public for each in listed))
        interface = Interface(
            id=answers.id(f"{workload.own_id}/{subnet}"),
            kind="network-interface",
            name=workload.name,
            region=answers.region,
            network=workload.network,
            subnet=draft.id_of(answers, subnet),
            addresses=addresses,
            public=public | global_ipv6(addresses) if facing else NO_ADDRESSES,
            public_unlisted=facing and not public.v4,
            attached=setting.groups,
            attached_unread=unread,
            workload=workload.id,
            role="load_balancer",
            derived=True,
            managed_by=_MANAGED_BY,
        )
        found.append(interface)
    return found
