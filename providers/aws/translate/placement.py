"""Where a managed service stands: its interfaces as they were read, or those that follow from its settings."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Interface, Template
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.model import Service
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["Places", "shared_out"]

_ROLES = {"lambda": "lambda"}


class _Described(msgspec.Struct, rename="pascal"):
    # Whatever else is wrong with an interface was reported where interfaces are translated.
    network_interface_id: object = None
    description: object = None


class Places:
    """Names what a service's answer calls by own id alone, and puts services in their place.

    Services describe the interfaces they make; the texts are those of
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html and of answers in practice.
    """

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self.answers = answers
        self.draft = draft
        self._by_description: defaultdict[str, list[str]] = defaultdict(list)
        self._by_groups: defaultdict[frozenset[str], list[tuple[str, str]]] = defaultdict(list)
        for listed in answers.each("ec2", "describe_network_interfaces", "NetworkInterfaces", _Described, "interfaces"):
            if not isinstance(listed.network_interface_id, str) or not isinstance(listed.description, str):
                continue
            interface = draft.interfaces.get(draft.id_of(answers, listed.network_interface_id))
            if interface is not None and listed.description:
                self._by_description[listed.description].append(interface.id)
                self._by_groups[interface.attached].append((listed.description, interface.id))

    def id(self, own: str) -> str:
        """Return the qualified id of a network, subnet, group or interface."""
        return self.draft.id_of(self.answers, own)

    def ids(self, owns: Iterable[str]) -> frozenset[str]:
        """Return qualified ids; empty texts, as old answers hold them, name nothing."""
        return frozenset(self.id(own) for own in owns if own)

    def network(self, own: str, subnets: frozenset[str], groups: frozenset[str]) -> str | None:
        """Return the network that an answer names, or that its subnets or its groups lie in; None when unknown."""
        if own:
            return self.id(own)
        for subnet in sorted(subnets & self.draft.subnets.keys()):
            return self.draft.subnets[subnet].network
        for group in sorted(groups & self.draft.groups.keys()):
            return next(iter(self.draft.groups[group].networks), None)
        return None

    def described(self, text: str) -> list[str]:
        """Return the interfaces that bear exactly this description."""
        return list(self._by_description.get(text, ()))

    def carrying(self, service: Service, description: str) -> list[str]:
        """Return the interfaces that carry exactly the service's groups, in its subnets, with the text in their own.

        Args:
            service: the service; without groups it has no interface that could be told by them.
            description: what their descriptions begin with.
        """
        if not service.groups:
            return []
        return [
            interface
            for text, interface in self._by_groups.get(service.groups, ())
            if text.startswith(description)
            and (not service.subnets or self.draft.interfaces[interface].subnet in service.subnets)
        ]

    def known(self, owns: Iterable[str]) -> list[str]:
        """Return the interfaces of these own ids that were read."""
        return [found for own in owns if own and (found := self.id(own)) in self.draft.interfaces]

    def add(
        self,
        service: Service,
        interfaces: Sequence[str] = (),
        *,
        owned: Sequence[str] | None = None,
        exposes: bool = False,
        addresses: AddressSet = NO_ADDRESSES,
        public: AddressSet = NO_ADDRESSES,
    ) -> None:
        """Add a service with its interfaces: those that were read, else one derived for each of its subnets.

        Args:
            service: the service, with its network, subnets and groups.
            interfaces: its interfaces that were read, or those among which it has one.
            owned: those that are marked as its own; all of them, unless given.
            exposes: where the service is public, the public address is that of its interfaces.
            addresses: its private addresses, where its own answer lists them.
            public: its public addresses, where its own answer lists them.
        """
        answers, draft = self.answers, self.draft
        unlisted = service.public if exposes else False
        if interfaces:
            self._link(service, interfaces, interfaces if owned is None else owned, unlisted=unlisted)
            placed = frozenset(interfaces)
        else:
            derived = self._derived(service, unlisted=unlisted, addresses=addresses, public=public)
            for interface in derived:
                draft.put(draft.interfaces, interface, answers.scope)
            placed = frozenset(interface.id for interface in derived)
        service = msgspec.structs.replace(service, interfaces=placed)
        draft.put(draft.services, service, answers.scope)
        self.template(service.own_id, service.kind, service.name, service.groups)

    def add_claimants(
        self,
        services: Sequence[Service],
        description: str,
        addresses: Mapping[str, tuple[AddressSet, AddressSet]] | None = None,
    ) -> None:
        """Add services whose interfaces all bear one description, so that groups and subnets have to tell them apart.

        Args:
            services: the services.
            description: what their interfaces are described by.
            addresses: private and public addresses by service, where their own answers list them.
        """
        held = self.draft.interfaces
        claims: dict[str, list[str]] = {}
        for service in services:
            candidates = self.carrying(service, description)
            fitting = [i for i in candidates if held[i].has_public_address(4) is service.public]
            claims[service.id] = fitting or candidates
        owned = shared_out(claims)
        for service in services:
            private, public = (addresses or {}).get(service.id, (NO_ADDRESSES, NO_ADDRESSES))
            own = owned[service.id]
            self.add(service, claims[service.id], owned=own, exposes=True, addresses=private, public=public)

    def template(self, own: str, kind: str, name: str, groups: frozenset[str]) -> None:
        """Note a setting that would attach groups; one without groups says nothing."""
        if groups:
            template = Template(
                id=self.answers.id(f"{own}/groups"),
                kind=kind,
                name=name,
                region=self.answers.region,
                groups=groups,
                together=frozenset((groups,)),
            )
            self.draft.put(self.draft.templates, template, self.answers.scope)

    def _link(
        self, service: Service, interfaces: Iterable[str], owned: Iterable[str], *, unlisted: bool | None
    ) -> None:
        held = self.draft.interfaces
        for identifier in owned:
            if held[identifier].workload is None or held[identifier].workload not in self.draft.services:
                held[identifier] = msgspec.structs.replace(held[identifier], workload=service.id)
        # Interfaces that were read show their public addresses, so that an unread setting leaves nothing open there.
        if unlisted and not any(held[identifier].has_public_address(4) for identifier in interfaces):
            for identifier in interfaces:
                held[identifier] = msgspec.structs.replace(held[identifier], public_unlisted=True)

    def _derived(
        self, service: Service, *, unlisted: bool | None, addresses: AddressSet, public: AddressSet
    ) -> list[Interface]:
        """Make an interface for each subnet of a service, or a single one where its subnets were not read."""
        if service.network is None and not service.subnets and not service.groups and not unlisted:
            return []
        read = self.draft.subnets
        if not service.groups:
            detail = "its security groups are not in the answer; in a VPC it always has one"
            self.answers.gap(service.service, service.own_id, "unread", detail, f"services.{service.service}")
        fitting = [s for s in sorted(service.subnets) if s in read and read[s].addresses.overlaps(addresses)]
        found: list[Interface] = []
        subnets: Sequence[str | None] = fitting or sorted(service.subnets) or (None,)
        for subnet in subnets:
            place = subnet or service.network or ""
            there = addresses & read[subnet].addresses if subnet is not None and fitting else addresses
            own = place.rpartition(":")[2] or "interface"
            found.append(
                Interface(
                    id=self.answers.id(f"{service.own_id}/{own}"),
                    kind="network-interface",
                    name=service.name,
                    region=self.answers.region,
                    network=service.network,
                    subnet=subnet,
                    addresses=there,
                    public=public,
                    public_unlisted=False if public else unlisted,
                    attached=service.groups,
                    attached_unread=not service.groups,
                    workload=service.id,
                    role=_ROLES.get(service.service, "interface"),
                    derived=True,
                    managed_by=f"amazon-{service.service}",
                )
            )
        return found


def shared_out(claims: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Give each interface to one of those who claim it, evenly.

    Databases of the same groups and subnets cannot be told apart by their interfaces: each of them has one of these,
    it cannot be said which.
    """
    claimants: defaultdict[str, list[str]] = defaultdict(list)
    for service in sorted(claims):
        for interface in claims[service]:
            claimants[interface].append(service)
    owned: dict[str, list[str]] = {service: [] for service in claims}
    for interface in sorted(claimants):
        owner = min(claimants[interface], key=lambda service: (len(owned[service]), service))
        owned[owner].append(interface)
    return owned
