"""Raw firewall rules and policies to plain values."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, cast

from tests.azure.oracle_reading_parts import flag, part, parts, text, texts
from tests.gcp.oracle_records import Far, Policy, Rule

if TYPE_CHECKING:
    from tests.gcp.oracle_records import Json, Network

__all__ = ["effective", "policy", "tail", "vpc_rule"]

_ACTIONS = {"allow": "allow", "deny": "deny", "goto_next": "next", "apply_security_profile_group": "allow"}
"""https://cloud.google.com/firewall/docs/firewall-policies-rule-details#action-on-match: what is handed to inspection
passes the firewall."""


def tail(link: str, project: str = "") -> str:
    """A link after ``projects/``; one that names no project is of the project it stands in."""
    head, found, rest = link.partition("projects/")
    return rest if found else f"{project}/{head}" if project else head


def vpc_rule(item: Json) -> Rule:
    """https://cloud.google.com/compute/docs/reference/rest/v1/firewalls."""
    ingress = text(item, "direction") != "EGRESS"
    denied = parts(item, "denied")
    return Rule(
        owner=text(item, "name"),
        priority=cast("int", item.get("priority", 1000)),
        ingress=ingress,
        action="" if flag(item, "disabled") else "deny" if denied else "allow",
        layers=[(text(each, "IPProtocol").lower(), texts(each, "ports")) for each in denied or parts(item, "allowed")],
        source=_far(
            texts(item, "sourceRanges"), tags=texts(item, "sourceTags"), accounts=texts(item, "sourceServiceAccounts")
        ),
        destination=_far(texts(item, "destinationRanges")),
        target_tags=texts(item, "targetTags"),
        target_accounts=texts(item, "targetServiceAccounts"),
        target_secure=[],
        tagged=False,
        target_networks=[],
    )


def _far(
    ranges: list[str], *, groups: list[str] | None = None, tags: list[str] | None = None,
    accounts: list[str] | None = None, secure: list[Json] | None = None, unread: list[str] | None = None,
    kind: str = "", networks: list[str] | None = None,
) -> Far:  # fmt: skip
    return Far(
        ranges=[_network(each) for each in ranges],
        groups=[each.removeprefix("//networksecurity.googleapis.com/") for each in groups or []],
        tags=tags or [],
        accounts=accounts or [],
        secure=_effective(secure or []),
        unread=unread or [],
        kind="" if kind == "UNSPECIFIED" else kind,
        networks=[tail(each) for each in networks or []],
        given=bool(ranges or groups or tags or accounts or secure or unread),
    )


def _network(word: str) -> Network:
    """Host bits are cut off, and a bare address is one address, as in answers that were recorded."""
    return ip_network(word, strict=False)


def _effective(tags: list[Json]) -> list[str]:
    """Tags that are ineffective were deleted, or their network was: nobody bears them.

    https://cloud.google.com/compute/docs/reference/rest/v1/networkFirewallPolicies (``srcSecureTags[].state``)
    """
    return [text(each, "name") for each in tags if text(each, "state") != "INEFFECTIVE"]


def policy(item: Json, project: str) -> Policy:
    """A global or regional network firewall policy, with the networks that it is associated with."""
    return Policy(
        name=text(item, "name"),
        region=text(item, "region").rpartition("/")[2],
        networks=[tail(text(each, "attachmentTarget"), project) for each in parts(item, "associations")],
        rules=_rules(item),
    )


def effective(answer: Json, kind: str) -> list[Policy]:
    """The policies of one kind in an answer about effective firewalls, in the order in which they are evaluated.

    Those above a network stand in their order; others go by the number of their association, the low ones first:
    https://cloud.google.com/python/docs/reference/google-cloud-compute-v1beta/latest (``FirewallPolicyAssociation``)
    """
    listed = [each for each in parts(answer, "firewallPolicys") if text(each, "type") == kind]
    listed.sort(key=lambda each: cast("int", each.get("priority", 0)))
    return [Policy(text(each, "name"), "", [], _rules(each)) for each in listed]


def _rules(item: Json) -> list[Rule]:
    own = text(item, "displayName") or text(item, "shortName") or text(item, "name")
    rules = [_rule(each, own) for each in parts(item, "rules") if text(each, "targetType") in {"", "INSTANCES"}]
    return sorted(rules, key=lambda rule: rule.priority)


def _rule(item: Json, own: str) -> Rule:
    match = part(item, "match")
    secure = parts(item, "targetSecureTags")
    return Rule(
        owner=own,
        priority=cast("int", item.get("priority", 0)),
        ingress=text(item, "direction") != "EGRESS",
        action="" if flag(item, "disabled") else _ACTIONS[text(item, "action")],
        layers=[(text(each, "ipProtocol").lower(), texts(each, "ports")) for each in parts(match, "layer4Configs")],
        source=_end(match, "src"),
        destination=_end(match, "dest"),
        target_tags=[],
        target_accounts=texts(item, "targetServiceAccounts"),
        target_secure=_effective(secure),
        tagged=bool(secure),
        target_networks=[tail(each) for each in texts(item, "targetResources")],
    )


def _end(match: Json, side: str) -> Far:
    return _far(
        texts(match, f"{side}IpRanges"),
        groups=texts(match, f"{side}AddressGroups"),
        secure=parts(match, f"{side}SecureTags"),
        unread=[
            f"{what} {each}"
            for what in ("Fqdns", "RegionCodes", "ThreatIntelligences")
            for each in texts(match, f"{side}{what}")
        ],
        kind=text(match, f"{side}NetworkContext") or text(match, f"{side}NetworkType"),
        networks=texts(match, "srcNetworks") if side == "src" else [],
    )
