"""What an Azure Firewall does with one connection, read off the raw answers one rule at a time.

It knows no sets: https://learn.microsoft.com/azure/firewall/rule-processing tells the order. DNAT rules come first,
then network rules, then application rules, whatever the priorities of what holds them. Inside a kind the parent
policy's groups come first, then the lower number of a group, then that of a collection. The first that matches decides,
and what none names is denied.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json
    from tests.azure.raw import Raw

__all__ = ["Asked", "firewall_says"]

Said = Literal["passes", "denied", "open"]
_PORTS = {"Http": 80, "Https": 443, "Mssql": 1433}
_NAMES = {6: "TCP", 17: "UDP", 1: "ICMP"}


class Asked(NamedTuple):
    """A connection: who opens it, to whom, on what; of ICMP the port is 0."""

    source: str
    destination: str
    protocol: int
    port: int


def firewall_says(raw: Raw, policy: str, asked: Asked) -> Said:
    """Say what the firewall of a policy does; ``open`` where that depends on names or on what is not told."""
    rules = [rule for each in _policies(raw, policy) for rule in _rules(raw, each)]
    for kind in ("NatRule", "NetworkRule", "ApplicationRule"):
        for action, rule in rules:
            if rule["ruleType"] != kind:
                continue
            match = _matches(raw, rule, asked)
            if match == "surely":
                return _rest(raw, rules, "passes" if action == "Allow" else "denied", asked)
    if any(_matches(raw, rule, asked) == "perhaps" and action != "Deny" for action, rule in rules):
        return "open"
    return "open" if _own_needs(asked) else "denied"


def _rest(raw: Raw, rules: list[tuple[str, Json]], found: Said, asked: Asked) -> Said:
    """What only may match, and stands before, leaves a sure match open where it says something else."""
    for kind in ("NatRule", "NetworkRule", "ApplicationRule"):
        for action, rule in rules:
            if rule["ruleType"] != kind:
                continue
            match = _matches(raw, rule, asked)
            says = "denied" if action == "Deny" else "passes"
            if match == "perhaps" and says != found:
                return "open"
            if match == "surely":
                return found
    return found


def _policies(raw: Raw, name: str) -> list[str]:
    """The policy's ancestors, the eldest first, and itself."""
    listed = raw.listed(raw.subscription_of(name), "firewall_policies")
    wire = next(each for each in listed if each["name"] == name)
    base = cast("dict[str, Json]", wire["properties"]).get("basePolicy")
    parent = "" if base is None else next(own for own, known in raw.ids.items() if known == base["id"])
    return [*(_policies(raw, parent) if parent else []), name]


def _rules(raw: Raw, policy: str) -> list[tuple[str, Json]]:
    groups = raw.listed(raw.subscription_of(policy), "firewall_policy_rule_collection_groups", raw.ids[policy])
    found: list[tuple[int, int, str, Json]] = []
    for group in groups:
        properties = cast("Json", group["properties"])
        for each in cast("list[Json]", properties["ruleCollections"]):
            order = int(str(properties["priority"])), int(str(each["priority"]))
            action = str(cast("Json", each["action"])["type"])
            found += [(*order, action, rule) for rule in cast("list[Json]", each["rules"])]
    return [(action, rule) for _, _, action, rule in sorted(found, key=lambda one: one[:2])]


def _matches(raw: Raw, rule: Json, asked: Asked) -> Literal["surely", "perhaps", "no"]:
    if not _at(raw, rule, "source", asked.source):
        return "no"
    if rule["ruleType"] == "NatRule":
        # "A DNAT rule implicitly adds a corresponding network rule to allow the translated traffic": whether that one
        # lets in who calls the private address himself, the page does not say.
        same = asked.destination == rule["translatedAddress"] and str(asked.port) == rule["translatedPort"]
        return "perhaps" if same and asked.protocol == 6 else "no"
    if rule["ruleType"] == "ApplicationRule":
        ports = {_PORTS[str(each["protocolType"])] for each in cast("list[Json]", rule["protocols"])}
        if asked.protocol != 6 or asked.port not in ports:
            return "no"
        return "surely" if "*" in cast("list[str]", rule["targetFqdns"]) and rule.get("denies") else "perhaps"
    if not _on(rule, asked):
        return "no"
    if _at(raw, rule, "destination", asked.destination):
        return "surely"
    return "perhaps" if rule.get("destinationFqdns") else "no"


def _on(rule: Json, asked: Asked) -> bool:
    protocols = cast("list[str]", rule["ipProtocols"])
    if "Any" not in protocols and _NAMES.get(asked.protocol) not in protocols:
        return False
    ports = cast("list[str]", rule["destinationPorts"])
    if asked.protocol == 1:
        return "*" in ports
    for text in ports:
        first, _, last = text.partition("-")
        if text == "*" or int(first) <= asked.port <= int(last or first):
            return True
    return False


def _at(raw: Raw, rule: Json, end: str, address: str) -> bool:
    texts = list(cast("list[str]", rule.get(f"{end}Addresses") or []))
    for group in cast("list[str]", rule.get(f"{end}IpGroups") or []):
        listed = raw.listed(group.split("/")[2], "ip_groups")
        wire = next(each for each in listed if each["id"] == group)
        texts += cast("list[str]", cast("Json", wire["properties"])["ipAddresses"])
    return any(_holds(text, address) for text in texts)


def _holds(text: str, address: str) -> bool:
    if text == "*":
        return True
    first, dash, last = text.partition("-")
    if dash:
        return ip_address(first) <= ip_address(address) <= ip_address(last)  # type: ignore[operator] # one family
    return ip_address(address) in ip_network(text, strict=False)


def _own_needs(asked: Asked) -> bool:
    """https://learn.microsoft.com/azure/firewall/infrastructure-fqdns: by default some of Azure's own names pass."""
    return asked.protocol == 6 and asked.port in {80, 443} and ip_address(asked.destination).is_global
