"""The ends of rules: prefixes, service tags and application security groups, as they stand in one network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Addresses, AddressList, GroupRef, ListRef, Unresolved, own_id, qualified
from cloudseg.providers.azure.ids import PROVIDER, place_of
from cloudseg.providers.azure.translate.parts import VirtualNetworkTag
from cloudseg.providers.azure.translate.rule_reading import is_prefix
from cloudseg.providers.azure.translate.service_tags import HOST, PLATFORM_TAGS, tag_list
from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Peer
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["Ends"]

_EVERY: Final = frozenset(("*", "any"))
_BALANCER: Final = "azureloadbalancer"


class Ends:
    """Looks up what ends of rules stand for in one network.

    Args:
        draft: where service tags and groups are looked up; lists that rules name are added.
        place: qualified id of a network, or of one of several subnets that see it alike, whose interfaces the rules
            judge; empty where they judge none.
        scope: the subscription in which service tags are named.
    """

    def __init__(self, draft: Draft, place: str, scope: str) -> None:
        self._draft = draft
        self._network = place
        self._scope = scope
        self._known: dict[tuple[tuple[str, ...], str], tuple[Peer, ...]] = {}

    @property
    def doubtful(self) -> bool:
        """Whether it is not known of some addresses whether they belong to ``VirtualNetwork``."""
        return bool(self._virtual_network.doubt)

    def of(self, texts: tuple[str, ...], groups: Iterable[str], unknown: str = "open") -> tuple[Peer, ...]:
        """Return the peers that an end names; what cannot be read stands for anybody.

        Args:
            texts: prefixes and service tags.
            groups: qualified ids of application security groups.
            unknown: what becomes of addresses of which it is not known whether a tag has them:
                :class:`cloudseg.providers.azure.translate.unknown_ends.Part`.
        """
        named = tuple(GroupRef(group) for group in groups)
        if texts and any(text.lower() in _EVERY for text in texts):
            return ANYONE
        return (*self._addressed(texts, unknown), *named)

    def _addressed(self, texts: tuple[str, ...], unknown: str) -> tuple[Peer, ...]:
        known = self._known.get((texts, unknown))
        if known is None:
            plain: list[str] = []
            peers: list[Peer] = []
            for text in texts:
                if is_prefix(text):
                    plain.append(text)
                else:
                    peers.extend(self._tag(text, unknown))
            known = self._known[texts, unknown] = (*self._plain(plain), *peers)
        return known

    def _plain(self, texts: list[str]) -> tuple[Peer, ...]:
        if not texts:
            return ()
        try:
            return (Addresses(AddressSet.from_cidrs(texts)),)
        except ParseError as error:
            return (Unresolved(f"prefixes {', '.join(texts)}", str(error)),)

    def _tag(self, name: str, unknown: str) -> tuple[Peer, ...]:
        """Return what a service tag stands for: the structural ones here, the others as far as they were read.

        Sources: https://learn.microsoft.com/azure/virtual-network/service-tags-overview
        """
        lower = name.lower()
        if lower == "virtualnetwork":
            return self._virtual(unknown)
        if lower == "internet":
            return self._internet(unknown)
        if lower == _BALANCER:
            return (ListRef(self._list("AzureLoadBalancer", HOST)),)
        if lower in PLATFORM_TAGS:
            return (ListRef(self._list(name, PLATFORM_TAGS[lower])),)
        return (ListRef(tag_list(self._draft, self._scope, name)),)

    def _virtual(self, unknown: str) -> tuple[Peer, ...]:
        """Return what the tag ``VirtualNetwork`` stands for here."""
        tag = self._virtual_network
        known = ListRef(self._list(f"VirtualNetwork@{place_of(self._network)}", tag.known))
        if not tag.doubt or unknown == "settled":
            return (known,)
        private = tag.maybe - GLOBAL_UNICAST
        if unknown == "agreed":
            rest = (self._unknown(tag, "VirtualNetwork", private),) if private else ()
            return (known, Addresses(tag.maybe & GLOBAL_UNICAST), *rest)
        return (known, self._unknown(tag, "VirtualNetwork", tag.maybe))

    def _internet(self, unknown: str) -> tuple[Peer, ...]:
        """Return what the tag ``Internet`` stands for here: every public address outside of ``VirtualNetwork``."""
        tag = self._virtual_network
        outside, maybe = GLOBAL_UNICAST - tag.known - tag.maybe, tag.maybe & GLOBAL_UNICAST
        known = (ListRef(self._list(f"Internet@{place_of(self._network)}", outside)),) if outside else ()
        if not tag.doubt or unknown == "settled":
            return known
        return (*known, Addresses(maybe) if unknown == "agreed" else self._unknown(tag, "Internet", maybe))

    @property
    def _virtual_network(self) -> VirtualNetworkTag:
        doubt = f"{own_id(self._network)} was not read" if self._network else "no interface is judged by it"
        everything = VirtualNetworkTag(maybe=ALL_ADDRESSES, doubt=doubt)
        return self._draft.virtual_networks.get(self._network, everything)

    def _unknown(self, tag: VirtualNetworkTag, name: str, within: AddressSet) -> Peer:
        rest = f"the rest of {name}"
        return Unresolved(f"{rest} at {place_of(self._network)}", tag.doubt, within, rest)

    def _list(self, name: str, addresses: AddressSet) -> str:
        identifier = qualified(PROVIDER, self._scope, name)
        if identifier not in self._draft.address_lists:
            self._draft.address_lists[identifier] = AddressList(
                id=identifier,
                kind="service-tag",
                name=name.partition("@")[0],
                prefixes=tuple(addresses.cidrs()),
                owner="provider",
            )
        return identifier
