"""Groups (identities) and named lists of addresses."""

from functools import lru_cache

from cloudseg.model.resources import Resource
from cloudseg.model.selectors import Selector
from cloudseg.traffic import AddressSet

__all__ = ["AddressList", "Group"]


class Group(Resource, frozen=True, kw_only=True):
    """An identity: whoever the selector chooses belongs to it.

    Attributes:
        selector: the expression that chooses the members.
        networks: where the group can be used; its own network first, then the associated ones.
        is_default: the provider made it and attaches it where nothing else is chosen.
        managed_by: the controller that owns it; empty for the user's own.
        description: what people wrote about it.
    """

    selector: Selector
    networks: tuple[str, ...] = ()
    is_default: bool = False
    managed_by: str = ""
    description: str = ""


class AddressList(Resource, frozen=True, kw_only=True):
    """A named list of prefixes: a prefix list, a service tag, an IP set.

    Attributes:
        prefixes: the entries as the provider returned them; None when they were not read, which is an unknown and
            never an empty list.
        owner: ``provider`` for lists that the cloud keeps, else ``customer``.
        weight: how many rules a reference counts for against the quotas.
        any_tenant: the addresses are shared by every customer of the cloud.
    """

    prefixes: tuple[str, ...] | None
    owner: str = "customer"
    weight: int | None = None
    any_tenant: bool = False

    @property
    def addresses(self) -> AddressSet | None:
        """The union of the entries; None when they were not read."""
        return None if self.prefixes is None else _together(self.prefixes)


# Thousands of rules name the same few lists, some of which have thousands of entries.
@lru_cache(maxsize=4096)
def _together(prefixes: tuple[str, ...]) -> AddressSet:
    return AddressSet.from_cidrs(prefixes)
