"""The rules of firewall policies: what each matches, whom it is for, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from cloudseg.model import ANYONE, GroupRef, Rule
from cloudseg.providers.gcp.ids import project_of
from cloudseg.providers.gcp.translate.groups import account_of, group_at, near_end
from cloudseg.providers.gcp.translate.networks import network_at
from cloudseg.providers.gcp.translate.policy_ends import Match, SecureTag, ends_of, secure_group
from cloudseg.providers.gcp.translate.vpc_rules import Part, traffic_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.model import Direction, Verdict
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["WirePolicyRule", "priority_in", "rule_of"]

_VERDICTS: Final[Mapping[str, Verdict]] = {
    "allow": "accept",
    "deny": "deny",
    "goto_next": "next",
    # What passes the inspection passes. Source:
    # https://cloud.google.com/firewall/docs/firewall-policies-rule-details#action
    "apply_security_profile_group": "accept",
}
_OTHER_ACTIONS: Final = frozenset(("mirror", "do_not_mirror"))
_TARGET_TYPES: Final = frozenset(("INSTANCES", "TARGET_TYPE_UNSPECIFIED", "INTERNAL_MANAGED_LB"))
_KNOWN: Final = frozenset((*(field.encode_name for field in msgspec.structs.fields(Match)), "layer4Configs", "kind"))
_LOWEST: Final = 2147483647


class WirePolicyRule(msgspec.Struct, rename="camel"):
    """A rule as it is written."""

    action: str = ""
    direction: str = "INGRESS"
    priority: int = _LOWEST
    disabled: bool = False
    description: str | None = None
    rule_name: str | None = None
    # A dictionary first: a condition that nothing here knows must not vanish.
    match: dict[str, object] | None = None
    target_resources: list[str] | None = None
    target_service_accounts: list[str] | None = None
    target_secure_tags: list[SecureTag] | None = None
    target_type: str | None = None


class _Layer4(msgspec.Struct, rename="camel"):
    layer4_configs: list[Part] | None = None


def rule_of(draft: Draft, wire: WirePolicyRule, network: str, project: str) -> Rule | None:
    """Return a rule as it holds in one network; None where it does not.

    Args:
        draft: where groups and lists are looked up.
        wire: the rule.
        network: qualified id of the network.
        project: the project in whose answer it stands.

    Raises:
        msgspec.ValidationError: a condition or the action is not what the service documents.
    """
    resources = wire.target_resources or ()
    if (wire.target_type or "INSTANCES").upper() not in _TARGET_TYPES:
        raise msgspec.ValidationError(f"targetType is {wire.target_type!r}")
    if wire.direction.upper() not in {"INGRESS", "EGRESS"}:
        raise msgspec.ValidationError(f"direction is {wire.direction!r}")
    numbers = [each for each in map(project_of, resources) if each.isdecimal() and draft.project(each) == each]
    if numbers:
        raise msgspec.ValidationError(f"targetResources name the project {numbers[0]}, whose id was not read")
    skipped = (
        wire.disabled
        or wire.action.lower() in _OTHER_ACTIONS
        # These are about proxies, not about machines.
        or (wire.target_type or "INSTANCES").upper() not in {"INSTANCES", "TARGET_TYPE_UNSPECIFIED"}
        or (resources and network not in {network_at(draft, each, project) for each in resources})
    )
    if skipped:
        if not wire.disabled and (wire.target_type or "").upper() == "INTERNAL_MANAGED_LB":
            draft.judged_proxies.add(network)
        return None
    problems: list[str] = []
    fields = wire.match or {}
    if unknown := sorted(fields.keys() - _KNOWN):
        problems.append(f"conditions that are not known: {', '.join(unknown)}")
    match = msgspec.convert(fields, Match)
    ports = msgspec.convert(fields, _Layer4).layer4_configs
    verdict = _VERDICTS.get(wire.action.lower())
    if verdict is None:
        raise msgspec.ValidationError(f"action is {wire.action!r}")
    direction: Direction = "egress" if wire.direction.upper() == "EGRESS" else "ingress"
    source, destination = ends_of(draft, match, project)
    far, near = (source, destination) if direction == "ingress" else (destination, source)
    # What leads nowhere at the far end a check tells; at the near end it stands for nobody.
    near = near._replace(peers=tuple(peer for peer in near.peers if not (isinstance(peer, GroupRef) and peer.stale)))
    targets = _targets(draft, wire, network)
    if targets == () or (far.named and not far.peers) or (near.named and not near.peers):
        # All the tags that it names are gone: it matches nobody.
        return None
    local = near_end(draft, targets or (), near.peers)
    problems += [text for text in (far.problem, near.problem, far.narrowed, near.narrowed) if text]
    return Rule(
        id=f"{direction}/{wire.priority}",
        direction=direction,
        verdict=verdict,
        traffic=traffic_of(ports, problems),
        remote=far.peers or ANYONE,
        local=local,
        priority=wire.priority,
        exact=not problems,
        doubt="; ".join(problems),
        description=wire.description or wire.rule_name or "",
        fixed=wire.priority > _LOWEST - 4,
    )


def _targets(draft: Draft, wire: WirePolicyRule, network: str) -> tuple[GroupRef, ...] | None:
    """Return whom a rule is for; None for everybody, nobody where all the tags that it names are gone."""
    if not wire.target_secure_tags and not wire.target_service_accounts:
        return None
    tags = (secure_group(draft, tag.name) for tag in wire.target_secure_tags or () if tag.effective)
    accounts = (
        group_at(draft, account_of(network, name), "service-account", name, network)
        for name in wire.target_service_accounts or ()
    )
    return tuple(GroupRef(group) for group in (*tags, *accounts))


def priority_in(item: object) -> int | None:
    """Return the priority that an item tells that is no rule otherwise."""
    value = cast("dict[str, object]", item).get("priority") if isinstance(item, dict) else None
    return value if isinstance(value, int) else None
