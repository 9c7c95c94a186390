"""AWS Network Firewall: where a firewall stands, and whether its policy filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Firewall
from cloudseg.providers.aws.translate.firewall_policies import FirewallRules, Verdict
from cloudseg.providers.aws.translate.tags import Tag, tags_of
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_firewalls"]

_FACET = "firewalls"


class _SubnetMapping(msgspec.Struct, rename="pascal"):
    subnet_id: str = ""


class _Firewall(msgspec.Struct, rename="pascal"):
    firewall_name: str
    firewall_arn: str
    firewall_policy_arn: str = ""
    vpc_id: str = ""
    subnet_mappings: list[_SubnetMapping] = []
    transit_gateway_id: str = ""
    transit_gateway_owner_account_id: str = ""
    tags: list[Tag] = []


class _Attachment(msgspec.Struct, rename="pascal"):
    subnet_id: str = ""
    endpoint_id: str = ""


class _SyncState(msgspec.Struct, rename="pascal"):
    attachment: _Attachment = msgspec.field(default_factory=_Attachment)


class _TransitSyncState(msgspec.Struct, rename="pascal"):
    attachment_id: str = ""


class _Status(msgspec.Struct, rename="pascal"):
    sync_states: dict[str, _SyncState] = {}
    transit_gateway_attachment_sync_state: _TransitSyncState = msgspec.field(default_factory=_TransitSyncState)


class _Answer(msgspec.Struct, rename="pascal"):
    firewall: _Firewall
    firewall_status: _Status = msgspec.field(default_factory=_Status)


class _Listed(msgspec.Struct, rename="pascal"):
    firewall_name: str = ""
    firewall_arn: str = ""


def add_firewalls(answers: Answers, draft: Draft) -> None:
    """Add firewalls. One that is attached to a transit gateway stands there, and its endpoint is the attachment.

    Sources: https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_DescribeFirewall.html
    https://docs.aws.amazon.com/network-firewall/latest/developerguide/tgw-firewall.html
    """
    rules = FirewallRules(answers)
    described: set[str] = set()
    for _, answer in answers.whole("network-firewall", "describe_firewall", _Answer, _FACET):
        described.add(answer.firewall.firewall_arn)
        network = draft.networks.get(draft.id_of(answers, answer.firewall.vpc_id))
        home = NO_ADDRESSES if network is None else network.addresses
        verdict = rules.verdict(answer.firewall.firewall_policy_arn, home)
        draft.put(draft.firewalls, _firewall(answers, draft, answer, verdict), answers.scope)
    for listed in answers.each("network-firewall", "list_firewalls", "Firewalls", _Listed, _FACET):
        if listed.firewall_arn not in described and answers.failed(
            "network-firewall", "describe_firewall", listed.firewall_arn
        ) is None:  # fmt: skip
            detail = "the firewall is listed, but was not described"
            answers.gap("network-firewall.describe_firewall", listed.firewall_arn, "unread", detail, _FACET)


def _firewall(answers: Answers, draft: Draft, answer: _Answer, verdict: Verdict) -> Firewall:
    wire, status = answer.firewall, answer.firewall_status
    attachments = [state.attachment for state in status.sync_states.values()]
    subnets = [*(mapping.subnet_id for mapping in wire.subnet_mappings), *(each.subnet_id for each in attachments)]
    network = draft.id_of(answers, wire.vpc_id) if wire.vpc_id else ""
    if wire.transit_gateway_id and not network:
        network = draft.id_of(answers, wire.transit_gateway_id, wire.transit_gateway_owner_account_id)
    endpoints = [
        *(each.endpoint_id for each in attachments),
        status.transit_gateway_attachment_sync_state.attachment_id,
    ]
    return Firewall(
        id=answers.id(wire.firewall_arn),
        kind="network-firewall",
        name=wire.firewall_name,
        region=answers.region,
        tags=tags_of(wire.tags),
        network=network,
        subnets=frozenset(draft.id_of(answers, own) for own in subnets if own),
        endpoints=frozenset(draft.id_of(answers, own) for own in endpoints if own),
        filters=verdict.filters,
        names=verdict.names,
        reason=verdict.reason,
    )
