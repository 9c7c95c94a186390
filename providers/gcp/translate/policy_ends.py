"""The ends of a policy's rule: ranges, address groups, secure tags, names, places and lists of threats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, AddressList, GroupRef, ListRef, Names, Unresolved, qualified
from cloudseg.providers.gcp.ids import PROVIDER, name_of, own_of, project_of, tail_of
from cloudseg.providers.gcp.translate.groups import group_at
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Peer
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["End", "Match", "SecureTag", "ends_of", "secure_group"]

_BY_ID: Final = "tagValues/"
ORGANISATION: Final = "organization"
"""The scope of what belongs to no project."""


class SecureTag(msgspec.Struct):
    """A secure tag that a rule names; one whose value is gone is ``INEFFECTIVE``."""

    name: str = ""
    state: str | None = None

    @property
    def effective(self) -> bool:
        """Whether it stands for anybody."""
        return (self.state or "EFFECTIVE").upper() != "INEFFECTIVE"


class Match(msgspec.Struct, rename="camel"):
    """The conditions of a rule.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/firewallPolicies
    """

    src_ip_ranges: list[str] | None = None
    dest_ip_ranges: list[str] | None = None
    src_address_groups: list[str] | None = None
    dest_address_groups: list[str] | None = None
    src_fqdns: list[str] | None = None
    dest_fqdns: list[str] | None = None
    src_region_codes: list[str] | None = None
    dest_region_codes: list[str] | None = None
    src_threat_intelligences: list[str] | None = None
    dest_threat_intelligences: list[str] | None = None
    src_secure_tags: list[SecureTag] | None = None
    dest_secure_tags: list[SecureTag] | None = None
    src_networks: list[str] | None = None
    src_network_type: str | None = None
    src_network_context: str | None = None
    dest_network_type: str | None = None
    dest_network_context: str | None = None


class End(NamedTuple):
    """One end of a rule.

    Attributes:
        named: whether the rule says anything of it.
        peers: whom it names; none where all that it names is gone.
        problem: what could not be read, in words; empty where everything was.
        narrowed: it asks more than these peers say, in words; empty where it does not.
    """

    named: bool
    peers: tuple[Peer, ...]
    problem: str = ""
    narrowed: str = ""


def ends_of(draft: Draft, match: Match, project: str) -> tuple[End, End]:
    """Return the ends of a rule, by source and by destination.

    What an end names in several ways is a union; the kind of network that packets come from narrows it. Places and
    lists of threats hold public addresses alone. Sources:
    https://cloud.google.com/firewall/docs/firewall-policies-rule-details and
    https://cloud.google.com/firewall/docs/network-context-overview

    Args:
        draft: where groups and lists are looked up; those that rules name are added.
        match: the conditions.
        project: the project in whose answer the rule stands.
    """
    source = _End(
        draft, project, match.src_ip_ranges, match.src_address_groups, match.src_fqdns, match.src_region_codes,
        match.src_threat_intelligences, match.src_secure_tags,
        match.src_network_type or match.src_network_context or ("VPC_NETWORKS" if match.src_networks else ""),
    )  # fmt: skip
    destination = _End(
        draft, project, match.dest_ip_ranges, match.dest_address_groups, match.dest_fqdns, match.dest_region_codes,
        match.dest_threat_intelligences, match.dest_secure_tags, match.dest_network_type or match.dest_network_context,
    )  # fmt: skip
    return source.read(), destination.read()


class _End(NamedTuple):
    draft: Draft
    project: str
    ranges: list[str] | None
    groups: list[str] | None
    names: list[str] | None
    places: list[str] | None
    threats: list[str] | None
    tags: list[SecureTag] | None
    context: str | None

    def read(self) -> End:
        peers: list[Peer] = []
        problem = ""
        try:
            if self.ranges:
                peers.append(Addresses(AddressSet.from_cidrs(self.ranges)))
        except ParseError as error:
            problem = str(error)
            peers.append(Unresolved(f"ranges {', '.join(self.ranges or ())}", problem))
        peers += self._others()
        parts = (self.ranges, self.groups, self.names, self.places, self.threats, self.tags)
        narrowed = (
            "" if not self.context or self.context.upper() == "UNSPECIFIED" else f"packets of {self.context} only"
        )
        return End(any(parts), tuple(peers), problem, narrowed)

    def _others(self) -> Iterator[Peer]:
        for group in self.groups or ():
            yield ListRef(_address_group(self.draft, group, self.project))
        if self.names:
            yield Names(tuple(self.names))
        for place in self.places or ():
            reason = f"which addresses lie in {place} only Google says"
            yield Unresolved(f"addresses of {place}", reason, GLOBAL_UNICAST)
        for threat in self.threats or ():
            yield Unresolved(threat, f"which addresses {threat} holds only Google says", GLOBAL_UNICAST)
        for tag in self.tags or ():
            yield GroupRef(secure_group(self.draft, tag.name), stale=not tag.effective)


def secure_group(draft: Draft, name: str) -> str:
    """Return the group of a secure tag by its value's id.

    One that is written by another name is looked up.

    Raises:
        msgspec.ValidationError: there is no such tag among those that were read.
    """
    if not name.startswith(_BY_ID):
        known = next((value for value, called in draft.secure_tags.items() if called == name), None)
        if known is None:
            raise msgspec.ValidationError(f"{name} is no secure tag that was read")
        name = known
    identifier = qualified(PROVIDER, ORGANISATION, name)
    return group_at(draft, identifier, "secure-tag", draft.secure_tags.get(name, name_of(name)))


def _address_group(draft: Draft, link: str, project: str) -> str:
    """Return the list of an address group; one that was not read has no known entries."""
    tail = tail_of(link)
    scope = draft.project(project_of(tail)) if project_of(tail) else ORGANISATION
    identifier = qualified(PROVIDER, scope or project, own_of(tail))
    if identifier not in draft.address_lists:
        draft.address_lists[identifier] = AddressList(
            id=identifier, kind="address-group", name=name_of(tail), prefixes=None
        )
    return identifier
