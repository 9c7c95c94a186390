"""Drawn projects of Google Cloud: firewall rules by priority with tags and accounts, and policies with secure tags."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from cloudseg.checks.example_gcp import GLOBAL_POLICY, HIERARCHY, GcpBuilder, gcp_rule
from tests.plan.simulated.drawing import case_of, one_of

if TYPE_CHECKING:
    from cloudseg.model import Rule
    from tests.plan.simulated.drawing import Case

__all__ = ["drawn_gcp"]

_SUBNETS = {"web": 1, "data": 2}
_NAMES = ("web", "app", "db")
_TRAFFIC = (("tcp/443", 5), ("tcp/5432", 5), ("tcp/22", 3), ("tcp/8000-8100", 3), ("udp/53", 2), ("all", 2), ("tcp", 1))


def _range(random: Random, hosts: list[str]) -> str:
    kind = one_of(random, ("subnet", 46), ("host", 26), ("vpc", 12), ("all", 6), ("wide", 5), ("site", 3))
    if kind == "host":
        return f"{random.choice(hosts)}/32"
    named = {"vpc": "10.2.0.0/16", "all": "0.0.0.0/0", "wide": "10.0.0.0/8", "site": "10.9.0.0/16"}
    return named.get(kind, f"10.2.{random.choice((1, 2))}.0/24")


def _firewall(random: Random, number: int, hosts: list[str], identity: str) -> Rule:
    """Return a VPC firewall rule. One rule names tags or accounts, never both."""
    ingress = random.random() < 0.78
    far = _range(random, hosts)
    if ingress and random.random() < 0.1:
        far = f"{identity}:{random.choice(_NAMES)}"
    targets = f"{identity}:{random.choice(_NAMES)}" if random.random() < 0.45 else "*"
    priorities = (900, 999, 1000, 1000, 1000, 1001, 65000)
    return gcp_rule(
        f"rule-{number}", "ingress" if ingress else "egress", one_of(random, *_TRAFFIC), far, targets=targets,
        verdict="deny" if random.random() < 0.2 else "accept", priority=random.choice(priorities),
    )  # fmt: skip


def _policy(random: Random, hosts: list[str]) -> tuple[Rule, ...]:
    found: list[Rule] = []
    for number, priority in enumerate(random.sample((98, 99, 100, 101, 200, 300), random.randint(1, 3))):
        far = f"secure:{random.choice(_NAMES)}" if random.random() < 0.25 else _range(random, hosts)
        targets = random.choice(("*", "*", f"secure:{random.choice(_NAMES)}", f"account:{random.choice(_NAMES)}"))
        found.append(
            gcp_rule(
                f"{priority}", "ingress", one_of(random, *_TRAFFIC), far, targets=targets, priority=priority, vpc=False,
                verdict="deny" if (kind := random.random()) < 0.2 else "next" if kind < 0.35 else "accept",
                description=f"rule {number}",
            )
        )  # fmt: skip
    return tuple(found)


def drawn_gcp(seed: int) -> Case:
    """Return a project with what was seen and meant in it."""
    random = Random(seed)
    b = GcpBuilder()
    # Machines of a kind mostly stand together and run as one account, or no account would name the same as a range.
    kinds = [random.choice(_NAMES) for _ in range(random.randint(4, 7))]
    stand = {"web": "web", "db": "data", "app": random.choice(tuple(_SUBNETS))}
    places = [
        (stand[kind] if random.random() < 0.9 else random.choice(tuple(_SUBNETS)), 10 + number)
        for number, kind in enumerate(kinds)
    ]
    hosts = [f"10.2.{_SUBNETS[subnet]}.{host}" for subnet, host in places]
    b.firewall(
        *(
            _firewall(random, number, hosts, random.choice(("tag", "account", "account")))
            for number in range(random.randint(4, 7))
        )
    )
    if random.random() < 0.4:
        b.policy("policy", *_policy(random, hosts), stage=random.choice((GLOBAL_POLICY, GLOBAL_POLICY, HIERARCHY)))
    for kind, (subnet, host), address in zip(kinds, places, hosts, strict=True):
        b.machine(
            f"vm-{host}", subnet, address, f"34.1.2.{host}" if random.random() < 0.2 else "",
            tags=sorted({kind, random.choice(_NAMES)}) if random.random() < 0.8 else (),
            account=one_of(random, (kind, 50), (f"own-{host}", 40), (random.choice(_NAMES), 5), ("", 5)),
            secure=[kind] if random.random() < 0.6 else (),
        )  # fmt: skip
    if random.random() < 0.5:
        b.flow_log("web")
        b.flow_log("data")
    return case_of("gcp", seed, random, b.build(), b.network.removeprefix("gcp:"))
