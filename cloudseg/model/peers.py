"""The other end of a rule: an identity, addresses, a list of addresses, names, or everyone."""

import msgspec

from cloudseg.traffic import ALL_ADDRESSES, AddressSet

__all__ = ["Addresses", "Everyone", "GroupRef", "ListRef", "Names", "Peer", "Unresolved", "is_identity"]


class Everyone(msgspec.Struct, frozen=True, tag=True):
    """Any peer whatever: every address of both families, inside or outside."""


class Addresses(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """Whoever bears one of these addresses."""

    addresses: AddressSet


class GroupRef(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """The members of a group: an identity.

    Attributes:
        group: qualified id of the group; the estate may not hold it (another account, or deleted).
        via: the peering or gateway over which the group is referred to, where the provider names it.
        stale: the provider says that the reference leads nowhere any more; it matches nothing.
    """

    group: str
    via: str | None = None
    stale: bool = False


class ListRef(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """The addresses of a named list: a prefix list, a service tag, an address group."""

    list: str


class Names(msgspec.Struct, frozen=True, tag=True):
    """Whoever the DNS names resolve to at the time of the packet; leading ``*.`` stands for any subdomain."""

    names: tuple[str, ...]


class Unresolved(msgspec.Struct, frozen=True, tag=True):
    """A peer that cannot be evaluated: a named variable.

    Attributes:
        variable: the unknown's name; the same text means the same unknown value everywhere.
        reason: why it is unknown, for people.
        within: the most that it can stand for.
        name: what people call it, where several unknowns share a name; empty for the variable itself.
    """

    variable: str
    reason: str
    # A schema of what holds peers can be made where the default is no value of the algebra's.
    within: AddressSet = msgspec.field(default_factory=lambda: ALL_ADDRESSES)
    name: str = ""


Peer = Everyone | Addresses | GroupRef | ListRef | Names | Unresolved


def is_identity(peer: Peer) -> bool:
    """Tell whether the peer names an identity and not addresses."""
    return isinstance(peer, GroupRef)
