"""Targets behind network load balancers: a way in that needs no public address of theirs."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model import Entrance
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Forward, Interface
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["BalancerEntrances", "Group", "drop_closed"]


class Group(NamedTuple):
    """A target group: its ARN, name and network, and whether its targets have IPv6 addresses."""

    arn: str
    name: str
    vpc: str
    over_ipv6: bool


def drop_closed(draft: Draft) -> None:
    """Drop the entrances through load balancers that the internet cannot address.

    It addresses those that face it, and those that an accelerator or an origin of the content network leads to, whether
    they face it or not. Sources:
    https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoints-endpoint-types.html and
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
    """
    led = {target for entrance in draft.entrances.values() if not entrance.through for target in entrance.targets}
    led |= {owner for own in led if own in draft.interfaces and (owner := draft.interfaces[own].workload) is not None}
    for entrance in list(draft.entrances.values()):
        through = frozenset(
            own for own in entrance.through if own in led or draft.workloads[own].internet_facing is True
        )
        if entrance.through and not through:
            del draft.entrances[entrance.id]
        elif through != entrance.through:
            draft.entrances[entrance.id] = msgspec.structs.replace(entrance, through=through)


class BalancerEntrances:
    """Adds the entrances that lead through load balancers."""

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self._answers = answers
        self._draft = draft

    def add(self, group: Group, port: int | None, forward: Forward, balancers: list[str]) -> None:
        """Add the entrances that lead to the targets of a group with one port.

        Where clients keep their addresses, those of the other family than the targets' cannot: the targets see the
        addresses of the load balancer's nodes instead. Source:
        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html

        Args:
            group: the target group.
            port: the port of these targets.
            forward: where the load balancers send to; only the targets that they serve.
            balancers: qualified ids of the load balancers.
        """
        answers, draft = self._answers, self._draft
        keeps, (nodes, exact) = forward.keeps_client, self._addresses(balancers)
        doubt = "" if exact else "the addresses of the load balancer's nodes were not read"
        if keeps is None:
            doubt = f"whether clients keep their addresses behind {group.name or group.arn} was not read"
        running = any(draft.workloads[balancer].running for balancer in balancers)
        if not running:
            doubt = "the load balancer could not be set up, so that it may send nothing"
        targets = NO_ADDRESSES
        for target in forward.targets:
            targets |= target.address
        for kind, clients, senders in self._seen(group, forward, balancers, nodes):
            entrance = Entrance(
                id=answers.id(f"{group.arn}/{'unread' if port is None else port}{kind}"),
                kind="target-group",
                name=group.name,
                region=answers.region,
                targets=frozenset(each.target for each in forward.targets if each.target is not None),
                target_addresses=targets,
                network=draft.id_of(answers, group.vpc) if group.vpc else None,
                traffic=forward.traffic,
                clients=clients,
                senders=senders,
                through=frozenset(balancers),
                listens=forward.listens,
                active=None if not running or keeps is None or (not exact and clients != ALL_ADDRESSES) else True,
                doubt=doubt,
            )
            draft.put(draft.entrances, entrance, answers.scope)

    def _seen(
        self, group: Group, forward: Forward, balancers: list[str], nodes: AddressSet
    ) -> list[tuple[str, AddressSet, AddressSet]]:
        """Return the addresses that the targets see, with the clients for which they do."""
        if forward.keeps_client is False:
            return [("", nodes, ALL_ADDRESSES)]
        if forward.keeps_client is None:
            return [("", ALL_ADDRESSES, ALL_ADDRESSES), ("/nodes", nodes, ALL_ADDRESSES)]
        if not any(balancer in self._draft.dual_stack for balancer in balancers):
            return [("", ALL_ADDRESSES, ALL_ADDRESSES)]
        family, other = (ALL_IPV6, ALL_IPV4) if group.over_ipv6 else (ALL_IPV4, ALL_IPV6)
        return [("", ALL_ADDRESSES, family), ("/nodes", nodes & family, other)]

    def _addresses(self, balancers: list[str]) -> tuple[AddressSet, bool]:
        """Return the addresses of the nodes, or the ranges that they lie in, and whether all of them are exact."""
        nodes = [node for balancer in balancers for node in self._nodes.get(balancer, ())]
        found = NO_ADDRESSES
        for node in nodes:
            found |= self._where(node)
        return found or ALL_ADDRESSES, bool(nodes) and all(node.addresses for node in nodes)

    def _where(self, node: Interface) -> AddressSet:
        if node.addresses:
            return node.addresses
        subnet = self._draft.subnets.get(node.subnet or "")
        network = self._draft.networks.get(node.network or "")
        if subnet is not None and subnet.addresses:
            return subnet.addresses
        return ALL_ADDRESSES if network is None else network.addresses or ALL_ADDRESSES

    @cached_property
    def _nodes(self) -> dict[str, list[Interface]]:
        # Made when it is first asked for: few accounts have a load balancer that needs it.
        found: defaultdict[str, list[Interface]] = defaultdict(list)
        for interface in self._draft.interfaces.values():
            if interface.workload in self._draft.forwarders:
                found[interface.workload].append(interface)
        return found
