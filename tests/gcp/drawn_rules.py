"""Random rules of VPC networks and of policies, drawn close to one another so that their edges matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.gcp.raw_parts import DEFAULT_POLICY_RULES, policy_rule, vpc

if TYPE_CHECKING:
    from random import Random

    from tests.gcp.oracle_records import Json

__all__ = ["ACCOUNTS", "PORTS", "TAGS", "Names", "policy_rules", "some", "vpc_rules"]

PORTS = (0, 22, 25, 53, 80, 443, 1023, 1024, 3389, 8080, 65535)
TAGS = ("web", "db", "edge")
ACCOUNTS = ("front@shop.iam.gserviceaccount.com", "back@shop.iam.gserviceaccount.com")
_WORLD = ["8.8.8.0/24", "8.8.8.8/32", "8.0.0.0/7", "0.0.0.0/1", "10.0.0.0/8", "172.16.0.0/12", "172.16.8.8/31",
          "34.1.0.0/16", "34.9.0.0/16"]  # fmt: skip
_WORLD_SIX = ["2620::/16", "2600:1900::/32", "fd20::/20", "2000::/4"]
_LAYERS = ("tcp", "tcp", "TCP", "6", "udp", "17", "all", "all", "all", "icmp", "58", "esp", "sctp", "tcp+udp")
_WITH_PORTS = {"tcp", "6", "udp", "17", "sctp"}
_LISTS = (("Fqdns", "example.com"), ("RegionCodes", "CH"), ("ThreatIntelligences", "iplist-known-malicious-ips"))


class Names(NamedTuple):
    """What rules of a network may name: ranges near its ends, tag values, address groups, and networks' links."""

    four: list[str]
    six: list[str]
    secure: list[str]
    groups: list[str]
    networks: list[str]


def some(random: Random, chance: float) -> bool:
    """True with this chance."""
    return random.random() < chance


def _ports(random: Random) -> str:
    pick = random.random()
    first, last = sorted(random.sample(PORTS, 2))
    if pick < 0.35:
        return str(random.choice(PORTS))
    return f"{first}-{last}" if pick < 0.8 else f"{random.choice(PORTS)},{first}-{last}"


def _layers(random: Random, *, wide: float) -> list[str]:
    """Protocols with ports; ``wide`` is the chance that all of one is meant."""
    if some(random, wide / 2):
        return ["all"]
    found: list[str] = []
    for name in random.choice(_LAYERS).split("+"):
        takes = name.lower() in _WITH_PORTS
        found.append(f"{name}:{_ports(random)}" if takes and not some(random, wide) else name)
    return found


def _ranges(random: Random, names: Names, *, both: bool = False, everybody: float = 0.3) -> list[str]:
    """Ranges of one family, or of ``both``."""
    six = bool(names.six) and some(random, 0.25)
    if both and some(random, everybody):
        return ["0.0.0.0/0", "::/0"]
    if some(random, everybody):
        if some(random, 0.2):
            return ["0.0.0.0/1", "128.0.0.0/1"]
        return ["::/0"] if six else ["0.0.0.0/0"]
    pool = [*names.six, *_WORLD_SIX] if six else [*names.four, *names.four, *_WORLD]
    found = random.sample(pool, random.choice((1, 1, 2, 3)))
    if both and some(random, 0.3):
        found += random.sample([*names.six, *_WORLD_SIX], 1)
    return found


def _targets(random: Random) -> dict[str, list[str]]:
    pick = random.random()
    if pick < 0.55:
        return {}
    if pick < 0.85:
        return {"target_tags": random.sample(TAGS, random.choice((1, 1, 2)))}
    return {"target_accounts": [random.choice(ACCOUNTS)]}


def vpc_rules(random: Random, names: Names) -> list[Json]:
    """Up to six rules, more of them inbound; numbers coincide now and then."""
    numbers = [random.randrange(65536) for _ in range(3)] + [1000, 1000, 0, 65534]
    found = [_inbound(random, names, random.choice(numbers)) for _ in range(random.choice((1, 2, 3, 4, 5)))]
    found += [_outbound(random, names, random.choice(numbers)) for _ in range(random.choice((0, 0, 1, 2)))]
    if some(random, 0.75):
        both = [["0.0.0.0/0"], ["::/0"]] if names.six else [["0.0.0.0/0"]]
        found += [vpc("allow", *_layers(random, wide=0.8), priority=65000, sources=each) for each in both]
    random.shuffle(found)
    return found


def _inbound(random: Random, names: Names, priority: int) -> Json:
    allow = some(random, 0.72)
    targets = _targets(random)
    sources: dict[str, list[str]] = {}
    pick = random.random()
    if pick < 0.3 and "target_accounts" not in targets:
        sources["tags"] = random.sample(TAGS, random.choice((1, 2)))
    elif pick < 0.45 and "target_tags" not in targets:
        sources["accounts"] = [random.choice(ACCOUNTS)]
    if not sources or some(random, 0.25):
        sources["sources"] = _ranges(random, names)
    # The two ends of a rule are of one family.
    ranges = sources.get("sources", ["0.0.0.0/0"])
    near = [each for each in (names.six if ":" in ranges[0] else names.four) if "/" in each]
    if near and some(random, 0.1):
        sources["to"] = random.sample(near, 1)
    layers = _layers(random, wide=0.5 if allow else 0.2)
    return vpc(
        "allow" if allow else "deny", *layers, priority=priority, disabled=some(random, 0.08),
        sources=sources.get("sources"), to=sources.get("to"), tags=sources.get("tags", ()),
        accounts=sources.get("accounts", ()), target_tags=targets.get("target_tags", ()),
        target_accounts=targets.get("target_accounts", ()),
    )  # fmt: skip


def _outbound(random: Random, names: Names, priority: int) -> Json:
    allow = some(random, 0.45)
    layers = _layers(random, wide=0.5 if allow else 0.25)
    to, targets = _ranges(random, names, everybody=0.4), _targets(random)
    return vpc(
        "allow" if allow else "deny", *layers, priority=priority, egress=True, to=to, disabled=some(random, 0.08),
        target_tags=targets.get("target_tags", ()), target_accounts=targets.get("target_accounts", ()),
    )  # fmt: skip


def policy_rules(random: Random, names: Names, *, above: bool = False, plain: bool = False) -> list[Json]:
    """Up to five rules of a policy; ``above`` allows for networks as targets, ``plain`` for ranges alone."""
    found: list[Json] = []
    for priority in random.sample(range(2000), random.choice((1, 2, 2, 3, 4))):
        egress = some(random, 0.3)
        pick = random.random()
        action = "goto_next" if pick < 0.3 else "deny" if pick < 0.55 else "allow"
        if action == "allow" and some(random, 0.1) and not plain:
            action = "apply_security_profile_group"
        secure: list[str] = []
        if not plain and not egress and names.secure and some(random, 0.25):
            secure = [f"{'!' if some(random, 0.1) else ''}{each}" for each in random.sample(names.secure, 1)]
        match = _match(random, names, egress=egress, plain=plain, secure=bool(secure))
        targets = _policy_targets(random, names, above=above)
        layers = _layers(random, wide=0.15 if action == "deny" else 0.3)
        found.append(
            policy_rule(
                priority, action, *layers, egress=egress, disabled=some(random, 0.06), match=match, secure=secure,
                target_secure=targets.get("target_secure", ()), target_accounts=targets.get("target_accounts", ()),
                target_networks=targets.get("target_networks", ()),
            )
        )  # fmt: skip
    return [*found, *(DEFAULT_POLICY_RULES if some(random, 0.4) else [])]


def _policy_targets(random: Random, names: Names, *, above: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    pick = random.random()
    if pick < 0.2 and names.secure:
        found["target_secure"] = [
            f"{'!' if some(random, 0.1) else ''}{each}" for each in random.sample(names.secure, 1)
        ]
    elif pick < 0.3:
        found["target_accounts"] = [random.choice(ACCOUNTS)]
    if above and some(random, 0.15):
        found["target_networks"] = random.sample(names.networks, 1)
    return found


def _match(random: Random, names: Names, *, egress: bool, plain: bool, secure: bool) -> Json:
    """The far end of a rule, and the own one now and then; with ``secure`` tags the far end is named already."""
    side, near = ("dest", "src") if egress else ("src", "dest")
    pick = random.random()
    found: Json = {}
    if not plain and not secure and pick < 0.13 and names.groups:
        found[f"{side}AddressGroups"] = [random.choice(names.groups)]
    elif not plain and not secure and pick < 0.25:
        what, value = random.choice(_LISTS)
        found[f"{side}{what}"] = [value]
    if not (found or secure) or some(random, 0.2):
        found[f"{side}IpRanges"] = _ranges(random, names, both=True)
    if some(random, 0.08):
        found[f"{near}IpRanges"] = random.sample(names.four, 1)
    if not plain and not secure and some(random, 0.12):
        _narrow(random, names, found, egress=egress)
    return found


def _narrow(random: Random, names: Names, found: Json, *, egress: bool) -> None:
    """A network type, under its older or its newer name."""
    kind = random.choice(("INTERNET", "NON_INTERNET", *(() if egress else ("VPC_NETWORKS", "INTRA_VPC"))))
    found[f"{'dest' if egress else 'src'}Network{random.choice(('Type', 'Context'))}"] = kind
    if kind == "VPC_NETWORKS":
        found["srcNetworks"] = random.sample(names.networks, 1)
