"""How packets of pods leave under the address of their machine, by its first interface, or do not.

To IPv4 addresses outside of the network that carries their cluster they bear the primary address of that interface,
meet its groups, and take the routes of its subnet and what guards it; unless the network plugin leaves them as they
are. Pods of an IPv6 cluster have an IPv4 address that counts inside of their machine alone: all IPv4 that they send
leaves in that way, and network policies are not asked; the same may be set for IPv6 of IPv4 clusters. Sources:
https://docs.aws.amazon.com/eks/latest/userguide/external-snat.html,
https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html,
https://docs.aws.amazon.com/eks/latest/userguide/security-groups-pods-deployment.html,
https://docs.aws.amazon.com/eks/latest/best-practices/ipv6.html and
https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html#cni-network-policy-considerations
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model.same_machine import machine_of
from cloudseg.model.topology import Exit, Masking
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from cloudseg.model.estate import Estate
    from cloudseg.model.topology import Interface, Network
    from cloudseg.traffic import AddressSet

__all__ = ["MachineExits", "merged"]

_NOT_READ: Final = Masking(
    applies=None, branches=True, doubt="whether aws-node puts the machine's address in their place was not read"
)


_PAST_POLICIES: Final = (
    "pods of IPv6 clusters may send IPv4 as well, and those of IPv4 clusters IPv6: under the address of their machine, "
    "by an interface of which network policies know nothing"
)


class MachineExits:
    """Tells how pods of a cluster leave the networks that carry it.

    Args:
        estate: the estate.
        cluster: the cluster's network.
        carriers: the interfaces of the machines that carry it.
    """

    def __init__(self, estate: Estate, cluster: Network, carriers: Sequence[Interface]) -> None:
        self._estate = estate
        self._masking = cluster.masking or _NOT_READ
        self._by_machine: defaultdict[str, list[Interface]] = defaultdict(list)
        for each in carriers:
            self._by_machine[machine_of(each)].append(each)

    def of(self, pod: Interface, bearer: Interface) -> Exit | None:
        """Return how packets leave of a pod whose address an interface bears; None where it leaves by that itself."""
        if pod.role == "host" or (pod.addresses and not pod.addresses.v4):
            return None
        machines = self._machines(pod, bearer, branches=self._masking.branches)
        doubt = self._doubt(pod, bearer)
        if not machines or (self._masking.applies is False and not doubt):
            return None
        network = self._estate.networks[bearer.network or ""]
        within = (ALL_ADDRESSES - ALL_IPV4) | self._masking.spared
        if self._masking.network_spared:
            within |= network.addresses
        chosen: dict[str, Interface] = {}
        addresses, complete, doubts = NO_ADDRESSES, True, [doubt] if doubt else []
        for machine in machines:
            there = self._by_machine.get(machine, ())
            first = [each for each in there if each.primary]
            if not first:
                doubts.append(f"which interface of {machine} is its first was not read")
                complete &= bool(there) and self._estate.read("interfaces", bearer)
            for each in first or there:
                chosen[each.id] = each
                addresses |= each.primary
        return Exit(
            within=within,
            interfaces=tuple(sorted(chosen)),
            addresses=addresses,
            own=bool(doubt),
            complete=complete and bool(chosen),
            doubt="; ".join(dict.fromkeys(doubts)),
        )

    def of_other_family(self, pod: Interface, bearer: Interface) -> Exit | None:
        """Return how packets leave of a pod, at most, of the family of which it bears no address; None for not at all.

        Source: https://github.com/aws/amazon-vpc-cni-k8s#enable_v4_egress-v1151
        """
        if pod.role == "host" or bearer.provider != "aws" or bool(pod.addresses.v4) == bool(pod.addresses.v6):
            return None
        also_ipv4 = not pod.addresses.v4
        machines = self._machines(pod, bearer, branches=True)
        if not machines or not (self._masking.also_ipv4 if also_ipv4 else self._masking.also_ipv6):
            return None
        chosen: list[Interface] = []
        complete = True
        for machine in machines:
            there = self._by_machine.get(machine, ())
            first = [each for each in there if each.primary]
            complete &= bool(first)
            chosen += first or there
        if complete and not any(_sends(each, also_ipv4=also_ipv4) for each in chosen):
            return None
        addresses = NO_ADDRESSES
        for each in chosen if also_ipv4 else ():
            addresses |= each.primary
        return Exit(
            within=ALL_IPV6 if also_ipv4 else ALL_IPV4,
            interfaces=tuple(sorted(each.id for each in chosen)),
            addresses=addresses,
            complete=complete,
            doubt=_PAST_POLICIES,
        )

    def _of_overlay(self, pod: Interface, inside: AddressSet) -> Exit:
        """Return how packets leave of a pod whose address is one of its cluster's own alone.

        Source: https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay

        Args:
            pod: the pod.
            inside: the addresses of the cluster's pods, which it reaches under its own.
        """
        machines = sorted(pod.machines & self._by_machine.keys()) or sorted(self._by_machine)
        chosen, addresses, doubts = self._firsts(machines)
        known = bool(chosen) and not doubts and (not pod.machines or pod.machines <= self._by_machine.keys())
        return Exit(
            within=(ALL_ADDRESSES - ALL_IPV4) | inside,
            interfaces=tuple(sorted(chosen)),
            addresses=addresses,
            complete=known,
            doubt="; ".join(dict.fromkeys(doubts)),
        )

    def sent_on(self, pods: Sequence[Interface], networks: Iterable[Network]) -> dict[str, Interface]:
        """Return pods with how their packets leave, as far as no interface bears their addresses, by id.

        Those that are yet to come get addresses of the overlay of the others, where these have one.

        Args:
            pods: pods with addresses that no interface bears, and pods without any.
            networks: the networks that carry the cluster.
        """
        overlay = [each for each in pods if each.addresses]
        inside = ranges = NO_ADDRESSES
        for pod in overlay:
            inside |= pod.addresses
        for network in networks:
            ranges |= network.addresses
        to_come = self._masking.overlay or any(not self._given(each, ranges) for each in overlay)
        found = {
            pod.id: self._of_overlay(pod, inside) if self._masking.overlay else self._unborne(pod, inside, ranges)
            for pod in (pods if overlay and to_come else overlay)
        }
        return {pod.id: msgspec.structs.replace(pod, exit=found[pod.id]) for pod in pods if pod.id in found}

    def _unborne(self, pod: Interface, inside: AddressSet, ranges: AddressSet) -> Exit:
        """Return how packets leave, at most, of a pod whose address no interface bears that was read.

        The address may be one of an overlay: packets then leave under the machine's address, for AWS drops what a
        machine sends under another, or they do not leave at all; settings of the overlay decide, which were not read.
        Where that check is off, and where a plugin of the cloud gives pods their addresses, it is not known by which
        interface and under which address they leave. Sources:
        https://docs.tigera.io/calico/latest/networking/configuring/workloads-outside-cluster and
        https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html#EIP_Disable_SrcDestCheck
        """
        found = self._of_overlay(pod, inside)
        if self._given(pod, ranges):
            words = f"no interface that was read bears {pod.addresses}: which groups and routes judge it is not known"
            return msgspec.structs.replace(found, complete=False, sure=False, doubt=_both(found.doubt, words))
        forwards = any(self._estate.interfaces[name].forwards for name in found.interfaces)
        words = "whether the machine's address stands for that of a pod of its overlay was not read"
        if forwards:
            words = f"{words}, and the machine may send packets under other addresses than its own"
        complete = found.complete and not forwards
        return msgspec.structs.replace(found, complete=complete, sure=False, doubt=_both(found.doubt, words))

    def _given(self, pod: Interface, ranges: AddressSet) -> bool:
        """Tell whether it may be the cloud that gave a pod its address."""
        return self._masking is not _NOT_READ or not ranges or pod.addresses.overlaps(ranges)

    def _firsts(self, machines: Iterable[str]) -> tuple[dict[str, Interface], AddressSet, list[str]]:
        """Return the interfaces by which machines send, their addresses, and what is not known of these, in words."""
        chosen: dict[str, Interface] = {}
        addresses, doubts = NO_ADDRESSES, list[str]()
        for machine in machines:
            there = self._by_machine[machine]
            first = [each for each in there if each.primary]
            if not first:
                doubts.append(f"which interface of {machine} is its first was not read")
            for each in first or there:
                chosen[each.id] = each
                addresses |= each.primary
        return chosen, addresses, doubts

    def sort_of(self, found: Exit | None) -> Hashable:
        """Return what tells ways out apart, over whichever machine: where its interfaces stand, and as who."""
        if found is None:
            return None
        places = frozenset(
            (each.subnet, each.attached, each.attached_unread, bool(each.public.v4), each.public_unlisted)
            for each in (self._estate.interfaces[name] for name in found.interfaces)
        )
        return found.own, found.complete, found.sure, bool(found.doubt), places

    def _machines(self, pod: Interface, bearer: Interface, *, branches: bool) -> Sequence[str]:
        """Return the machines one of which sends on for a pod.

        Args:
            pod: the pod.
            bearer: the interface that bears its address.
            branches: they do so for pods, too, that have an interface for themselves alone.
        """
        if bearer.role != "branch":
            return (machine_of(bearer),) if bearer.workload is not None else ()
        if not branches:
            return ()
        return sorted(pod.machines & self._by_machine.keys() or self._by_machine)

    def _doubt(self, pod: Interface, bearer: Interface) -> str:
        """Return why it is not known whether the machine's address stands for a pod's; empty where it is."""
        masking = self._masking
        if masking.applies is None:
            return masking.doubt
        machine = machine_of(bearer)
        return masking.doubt if machine in masking.unsure or pod.machines & masking.unsure else ""


def _both(*doubts: str) -> str:
    return "; ".join(filter(None, doubts))


def _sends(interface: Interface, *, also_ipv4: bool) -> bool:
    """Tell whether an interface may have an address of a family."""
    own = interface.addresses
    return not own or bool(own.v4 if also_ipv4 else own.v6)


def merged(ways: Iterable[Exit | None]) -> Exit | None:
    """Return ways out of one sort as one: any of their interfaces may be the one."""
    found: Exit | None = None
    for each in ways:
        if found is None or each is None:
            found = found or each
            continue
        found = msgspec.structs.replace(
            found,
            interfaces=tuple(sorted({*found.interfaces, *each.interfaces})),
            addresses=found.addresses | each.addresses,
            doubt="; ".join(dict.fromkeys(doubt for doubt in (found.doubt, each.doubt) if doubt)),
        )
    return found
