"""Raw firewall rules, policy rules and interfaces, as REST prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.gcp.oracle_records import Json

__all__ = ["DEFAULT_POLICY_RULES", "Card", "policy_rule", "tagged", "vpc"]


class Card(NamedTuple):
    """A network interface before it has an instance: a subnet and addresses.

    ``aliases`` are ranges; ``six`` is an address of the subnet's IPv6 range.
    """

    subnet: str
    address: str
    public: str = ""
    aliases: tuple[str, ...] = ()
    six: str = ""


def _layers(words: Sequence[str], key: str) -> list[Json]:
    """``tcp:22,80-90`` is a protocol with its ports."""
    found: list[Json] = []
    for word in words:
        name, _, ports = word.partition(":")
        found.append({key: name, "ports": ports.split(",")} if ports else {key: name})
    return found


def vpc(
    action: str, *layers: str, priority: int = 1000, egress: bool = False, sources: Sequence[str] | None = None,
    to: Sequence[str] | None = None, tags: Sequence[str] = (), accounts: Sequence[str] = (),
    target_tags: Sequence[str] = (), target_accounts: Sequence[str] = (), disabled: bool = False,
) -> Json:  # fmt: skip
    """A VPC firewall rule: ``sources`` and ``to`` are ranges, ``tags`` and ``accounts`` those of the sender.

    As the API does it fills in everybody's IPv4 where the far end is named by nothing.
    """
    rule: Json = {
        "kind": "compute#firewall",
        "priority": priority,
        "direction": "EGRESS" if egress else "INGRESS",
        "allowed" if action == "allow" else "denied": _layers(layers or ("all",), "IPProtocol"),
        "disabled": disabled,
        "logConfig": {"enable": False},
    }
    if sources is None and not egress and not tags and not accounts:
        sources = ["0.0.0.0/0"]
    if to is None and egress:
        to = ["0.0.0.0/0"]
    named = {
        "sourceRanges": sources,
        "destinationRanges": to,
        "sourceTags": tags,
        "sourceServiceAccounts": accounts,
        "targetTags": target_tags,
        "targetServiceAccounts": target_accounts,
    }
    return rule | {key: list(value) for key, value in named.items() if value}


def tagged(*names: str) -> list[Json]:
    """Secure tags of a policy rule; a name that begins with ``!`` is ineffective."""
    return [
        {"name": name.removeprefix("!"), "state": "INEFFECTIVE" if name.startswith("!") else "EFFECTIVE"}
        for name in names
    ]


def policy_rule(
    priority: int, action: str, *layers: str, egress: bool = False, sources: Sequence[str] = (), to: Sequence[str] = (),
    secure: Sequence[str] = (), target_secure: Sequence[str] = (), target_accounts: Sequence[str] = (),
    target_networks: Sequence[str] = (), disabled: bool = False, match: Mapping[str, object] | None = None,
) -> Json:  # fmt: skip
    """A rule of a policy; ``match`` are further fields of its own one.

    Where the far end is named by nothing, the rule means everybody, of both families.
    """
    given: Json = {**(match or {})}
    far = "destIpRanges" if egress else "srcIpRanges"
    if sources:
        given["srcIpRanges"] = list(sources)
    if to:
        given["destIpRanges"] = list(to)
    if secure:
        given["srcSecureTags"] = tagged(*secure)
    named = ("IpRanges", "SecureTags", "AddressGroups", "Fqdns", "RegionCodes", "ThreatIntelligences")
    if not any(f"{'dest' if egress else 'src'}{each}" in given for each in named):
        given[far] = ["0.0.0.0/0", "::/0"]
    rule: Json = {
        "kind": "compute#firewallPolicyRule",
        "priority": priority,
        "direction": "EGRESS" if egress else "INGRESS",
        "action": action,
        "match": {"layer4Configs": _layers(layers or ("all",), "ipProtocol"), **given},
        "enableLogging": False,
        "disabled": disabled,
    }
    if target_secure:
        rule["targetSecureTags"] = tagged(*target_secure)
    if target_accounts:
        rule["targetServiceAccounts"] = list(target_accounts)
    if target_networks:
        rule["targetResources"] = list(target_networks)
    return rule


DEFAULT_POLICY_RULES = [
    policy_rule(2147483644, "goto_next", egress=True, to=["::/0"]),
    policy_rule(2147483645, "goto_next", sources=["::/0"]),
    policy_rule(2147483646, "goto_next", egress=True, to=["0.0.0.0/0"]),
    policy_rule(2147483647, "goto_next", sources=["0.0.0.0/0"]),
]
"""What every new policy begins with: https://cloud.google.com/firewall/docs/network-firewall-policies#predefined"""
