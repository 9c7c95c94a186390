"""Names that stand for others: a service of a cluster, for the pods behind it."""

import msgspec

from cloudseg.model.resources import Resource
from cloudseg.traffic import NO_ADDRESSES, AddressSet, Traffic

__all__ = ["Alias", "AliasPort"]


class AliasPort(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic that is asked for under a name, and what becomes of it.

    Attributes:
        listens: what clients ask for; None for whatever they like.
        sends: what arrives; None for what they asked for.
        targets: qualified ids of the workloads or interfaces where it arrives.
    """

    listens: Traffic | None
    sends: Traffic | None
    targets: frozenset[str]


class Alias(Resource, frozen=True, kw_only=True):
    """A name under which others are asked for. No packet meets it: whoever is behind it takes them.

    Attributes:
        words: the names that people and programs write, beside its ids.
        addresses: addresses that stand for it, and that nobody bears.
        ports: what is asked for, and where it arrives.
        network: for one whose packets are rewritten on their way, so that the rules of who calls it see its addresses,
            the qualified id of the network in which these stand; empty for one that is rewritten before.
    """

    words: tuple[str, ...] = ()
    addresses: AddressSet = NO_ADDRESSES
    ports: tuple[AliasPort, ...] = ()
    network: str = ""

    @property
    def targets(self) -> frozenset[str]:
        """Whoever is behind it."""
        return frozenset(target for port in self.ports for target in port.targets)
