"""Secure tags: what they are called, and to which instances they are bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import AddressList, GroupRef, own_id, qualified, scope_of
from cloudseg.providers.gcp.ids import PROVIDER, name_of, own_of, project_of, tail_of
from cloudseg.providers.gcp.translate.policy_ends import ORGANISATION, secure_group

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_address_groups", "add_secure_tags", "bind_secure_tags", "doubt_secure_tags"]

_FIREWALL: Final = "GCE_FIREWALL"


class _Key(msgspec.Struct, rename="camel"):
    name: str = ""
    purpose: str = ""
    purpose_data: dict[str, str] | None = None


class _Value(msgspec.Struct, rename="camel"):
    name: str = ""
    parent: str = ""
    short_name: str = ""
    namespaced_name: str = ""


class _Binding(msgspec.Struct, rename="camel"):
    parent: str = ""
    tag_value: str = ""
    tag_value_namespaced_name: str = ""


class _AddressGroup(msgspec.Struct, rename="camel"):
    name: str = ""
    self_link: str = ""
    items: list[str] | None = None


def add_secure_tags(answers: Answers, draft: Draft) -> None:
    """Note the names of secure tags, the network that each is for, and the instances that bear them.

    Source: https://cloud.google.com/firewall/docs/tags-firewalls-overview
    """
    for key in answers.listed("cloudresourcemanager", "tag_keys", _Key, "groups"):
        told = key.purpose_data or {}
        if key.purpose.upper() != _FIREWALL or told:
            draft.tag_networks[key.name] = told.get("network", "")
    for value in answers.listed("cloudresourcemanager", "tag_values", _Value, "groups"):
        draft.secure_tags[value.name] = value.namespaced_name or value.short_name
        if value.parent in draft.tag_networks:
            draft.value_networks[value.name] = draft.tag_networks[value.parent]
    unread: set[str] = set()
    for binding in answers.listed("cloudresourcemanager", "tag_bindings", _Binding, "groups"):
        if "/instances/" in binding.parent and binding.tag_value.startswith("tagValues/"):
            draft.bound_tags.setdefault(tail_of(binding.parent), set()).add(binding.tag_value)
        elif "/instances/" in binding.parent:
            what = "cloudresourcemanager.tag_bindings"
            answers.gap(what, tail_of(binding.parent), "malformed", f"{binding.tag_value!r} is no tag value", "groups")
            unread.add(answers.scope)
    if answers.complete("cloudresourcemanager", "tag_bindings") and answers.scope not in unread:
        draft.read_bindings.add(answers.scope)


def add_address_groups(answers: Answers, draft: Draft) -> None:
    """Add the address groups.

    Source: https://cloud.google.com/firewall/docs/address-groups-firewall-policies
    """
    for wire in answers.listed("networksecurity", "address_groups", _AddressGroup, "address-lists"):
        tail = tail_of(wire.name or wire.self_link)
        scope = draft.project(project_of(tail)) or ORGANISATION
        identifier = qualified(PROVIDER, scope, own_of(tail))
        addresses = answers.addresses("networksecurity.address_groups", tail, wire.items or (), "address-lists")
        whole = answers.readable(wire.items or ())
        draft.address_lists[identifier] = AddressList(
            id=identifier,
            kind="address-group",
            name=name_of(tail),
            prefixes=tuple(addresses.cidrs()) if whole else None,
        )


def bind_secure_tags(draft: Draft) -> None:
    """Attach secure tags to the interfaces of who bears them; a tag for one network to those in it alone."""
    bound: dict[str, set[str]] = {}
    for link, values in draft.bound_tags.items():
        instance = draft.instances.get(name_of(link)) or draft.named(link, "")
        bound.setdefault(instance, set()).update(values)
    for identifier, interface in draft.interfaces.items():
        values = bound.get(interface.workload or "", set[str]())
        known = {value for value in values if value in draft.value_networks}
        own = {secure_group(draft, value) for value in known if _is_for(draft, value, interface.network)}
        if values:
            draft.interfaces[identifier] = msgspec.structs.replace(
                interface,
                attached=interface.attached | own,
                # What a tag is for its key tells.
                attached_unread=interface.attached_unread or known != values,
            )


def doubt_secure_tags(draft: Draft) -> None:
    """Where a rule names a secure tag and the bindings of a project were not read, its interfaces may bear any."""
    named = any(
        isinstance(peer, GroupRef) and own_id(peer.group).startswith("tagValues/")
        for rule_set in draft.rule_sets.values()
        for rule in rule_set.rules
        for peer in (*rule.remote, *rule.local)
    )
    for identifier, interface in draft.interfaces.items():
        if named and interface.workload is not None and interface.scope not in draft.read_bindings:
            draft.interfaces[identifier] = msgspec.structs.replace(interface, attached_unread=True)


def _is_for(draft: Draft, value: str, network: str | None) -> bool:
    """Tell whether a tag means anything in a network: ``example/default``, or a link that ends with its number."""
    wanted = draft.value_networks[value]
    if not wanted or network is None:
        return network is not None
    # ``projects/p/global/networks/n`` in a link, ``p/n`` in what the tag's key says.
    project = draft.project(project_of(wanted) or wanted.partition("/")[0])
    own = scope_of(network)
    names = {name_of(network), draft.network_numbers.get(network, "")}
    return name_of(wanted) in names and project in {own, ""}
