"""Plans with a fault, by hand: each is small, and wrong in one way that remedies could be."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.model import Carries, Group, GroupRef, Network, RuleSet, qualified
from cloudseg.model.edits import AddRule, AddRuleSet, Attach, CreateGroup, RemoveRule, RemoveRuleSet
from cloudseg.remediations.interface import Change
from cloudseg.traffic import AddressSet
from tests.plan.simulated.drawing import Case, Talk
from tests.plan.simulated.judge import Spot
from tests.plan.simulated.points import Point

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.model import Estate, Rule
    from cloudseg.model.edits import Edit
    from cloudseg.remediations.interface import Phase

__all__ = ["PLANTED", "Planted"]

_own = EstateBuilder.id
_OUT = allow("egress", "all", "0.0.0.0/0")


class Planted(NamedTuple):
    """A wrong plan.

    Attributes:
        name: what is wrong with it.
        kind: ``gained`` or ``lost``.
        case: the estate and its conversations.
        changes: what it does, in order.
    """

    name: str
    kind: str
    case: Case
    changes: tuple[Change, ...]


def _change(phase: Phase, *edits: Edit) -> Change:
    return Change(edits=edits, phase=phase, reason="it is wrong", undo="do not do it")


def _case(cloud: str, estate: Estate, *talks: tuple[str, str, int], network: str | None = "vpc-1") -> Case:
    """Return a case in which some addresses talked by TCP."""
    bearers = {
        address.partition("/")[0]: key for key, each in estate.interfaces.items() for address in each.addresses.cidrs()
    }
    found = tuple(
        Talk(Spot(source, bearers.get(source, "")), Spot(target, bearers.get(target, "")), Point("tcp", port))
        for source, target, port in talks
    )
    rows = [
        seen(source, target, port, provider=cloud, initiator_network=network, responder_network=network)
        for source, target, port in talks
    ]
    logs = logs_of("eni-db") if cloud == "aws" else logs_of("an adapter", provider=cloud, network=network)
    return Case(cloud, 0, estate, found, ExampleConversations(rows, logs), None, None)


def _shop(*rules: Rule, six: bool = False) -> EstateBuilder:
    """Return a database whose group has some rules, and two servers, each of a group of its own."""
    b = EstateBuilder()
    if six:
        addresses = AddressSet.parse("10.0.0.0/16, 2600:1f18:0:1000::/56")
        b.put(
            "networks", Network(id=b.id("vpc-1"), kind="vpc", region="eu-west-1", pipeline="aws", addresses=addresses)
        )
        b.subnet("subnet-six", "10.0.3.0/24, 2600:1f18:0:1003::/64")
    b.group("sg-db", *rules)
    b.group("sg-app", _OUT, *((allow("egress", "all", "::/0"),) if six else ()))
    b.group("sg-web", _OUT)
    subnet, net = ("subnet-six", "3") if six else ("subnet-private", "2")
    b.interface("eni-db", subnet, ["sg-db"], f"10.0.{net}.9" + (", 2600:1f18:0:1003::9" if six else ""))
    b.interface("eni-app", subnet, ["sg-app"], f"10.0.{net}.10" + (", 2600:1f18:0:1003::10" if six else ""))
    b.interface("eni-web", subnet, ["sg-web"], f"10.0.{net}.20")
    return b


_RANGE = allow("ingress", "tcp/5432", "10.0.2.0/24", rule_id="range")
_HOST = allow("ingress", "tcp/5432", "10.0.2.10/32", rule_id="host")
_FROM_APP = allow("ingress", "tcp/5432", "sg-app", rule_id="new")
_TALK = ("10.0.2.10", "10.0.2.9", 5432)


def _widens() -> Planted:
    b = _shop(_HOST)
    b.interface("eni-batch", groups=["sg-app"], address="10.0.2.30")
    changes = (_change("add", AddRule(_own("sg-db"), _FROM_APP)), _change("remove", RemoveRule(_own("sg-db"), "host")))
    return Planted("a group with one more member stands for a host", "gained", _case("aws", b.build(), _TALK), changes)


def _loses() -> Planted:
    case = _case("aws", _shop(_RANGE).build(), _TALK, ("10.0.2.20", "10.0.2.9", 5432))
    changes = (_change("add", AddRule(_own("sg-db"), _FROM_APP)), _change("remove", RemoveRule(_own("sg-db"), "range")))
    return Planted("a group without one that talked stands for a range", "lost", case, changes)


def _widens_six() -> Planted:
    b = _shop(allow("ingress", "tcp/5432", "10.0.3.0/24", rule_id="range"), six=True)
    case = _case("aws", b.build(), ("10.0.3.10", "10.0.3.9", 5432), ("10.0.3.20", "10.0.3.9", 5432))
    web = allow("ingress", "tcp/5432", "sg-web", rule_id="new-too")
    changes = (
        _change("add", AddRule(_own("sg-db"), _FROM_APP)),
        _change("add", AddRule(_own("sg-db"), web)),
        _change("remove", RemoveRule(_own("sg-db"), "range")),
    )
    return Planted("a group stands for a range of IPv4, and its members speak IPv6 too", "gained", case, changes)


def _removes_first() -> Planted:
    case = _case("aws", _shop(_HOST).build(), _TALK)
    changes = (
        _change("prepare", RemoveRule(_own("sg-db"), "host")),
        _change("add", AddRule(_own("sg-db"), _FROM_APP)),
    )
    return Planted("the old rule goes before the new one is there", "lost", case, changes)


def _brings_grants() -> Planted:
    b = _shop(_HOST)
    b.group("sg-ops")
    b.group("sg-vault", allow("ingress", "tcp/8200", "sg-ops"))
    b.interface("eni-vault", groups=["sg-vault"], address="10.0.2.40")
    from_ops = allow("ingress", "tcp/5432", "sg-ops", rule_id="new")
    changes = (
        _change("add", Attach(_own("eni-app"), _own("sg-ops"))),
        _change("add", AddRule(_own("sg-db"), from_ops)),
        _change("remove", RemoveRule(_own("sg-db"), "host")),
    )
    return Planted("a group that is joined is named by another rule", "gained", _case("aws", b.build(), _TALK), changes)


def _born_open() -> Planted:
    b = _shop(_HOST)
    b.group("sg-shut", allow("egress", "tcp/5432", "10.0.2.9/32"))
    b.interface("eni-shut", groups=["sg-shut"], address="10.0.2.50")
    b.group("sg-any", allow("ingress", "tcp/443", "10.0.2.0/24"))
    b.interface("eni-any", groups=["sg-any"], address="10.0.2.51")
    new = _own("sg-new")
    rules = RuleSet(
        id=new, kind="security-group", region="eu-west-1", stage="security-groups", rules=(_OUT,), applies=Carries(new),
        network=_own("vpc-1"),
    )  # fmt: skip
    group = Group(id=new, kind="security-group", region="eu-west-1", selector=Carries(new), networks=(_own("vpc-1"),))
    changes = (
        _change("prepare", CreateGroup(group), AddRuleSet(rules)),
        _change("add", Attach(_own("eni-shut"), new)),
    )
    return Planted("a new group still sends everything everywhere", "gained", _case("aws", b.build(), _TALK), changes)


def _azure(*rules: Rule) -> tuple[Case, str]:
    b = NsgBuilder()
    for name in ("asg-web", "asg-app"):
        b.asg(name)
    own = b.nsg("nsg-data", *rules, subnet="data")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-app", "web", "10.1.1.11", asgs=["asg-app"])
    b.machine("nic-db", "data", "10.1.2.10")
    network = qualified("azure", "x", b.network).rpartition(":")[2]
    return _case("azure", b.build(), ("10.1.1.10", "10.1.2.10", 1433), network=network), own


_SHUT = nsg_rule("ingress", 4096, "all", deny=True)


def _unveils() -> Planted:
    case, own = _azure(
        nsg_rule("ingress", 200, "tcp/1433", "10.1.1.11/32", deny=True),
        nsg_rule("ingress", 300, "tcp/1433", "10.1.1.0/24"),
        _SHUT,
    )
    changes = (_change("remove", RemoveRule(own, "inbound/rule-200")),)
    return Planted("a denial goes, and the allowing rule behind it decides", "gained", case, changes)


def _unveils_a_denial() -> Planted:
    case, own = _azure(
        nsg_rule("ingress", 200, "tcp/1433", "10.1.1.10/32"),
        nsg_rule("ingress", 300, "tcp/1433", "10.1.1.0/24", deny=True),
        _SHUT,
    )
    changes = (_change("remove", RemoveRule(own, "inbound/rule-200")),)
    return Planted("an allowing rule goes, and the denial behind it decides", "lost", case, changes)


def _before_a_denial() -> Planted:
    case, own = _azure(
        nsg_rule("ingress", 200, "tcp/1433", "10.1.1.11/32", deny=True),
        nsg_rule("ingress", 300, "tcp/1433", "10.1.1.0/24"),
        _SHUT,
    )
    new = [nsg_rule("ingress", 150 + number, "tcp/1433", name) for number, name in enumerate(("asg-web", "asg-app"))]
    changes = (
        *(_change("add", AddRule(own, rule)) for rule in new),
        _change("remove", RemoveRule(own, "inbound/rule-300")),
    )
    return Planted("a new rule stands before a denial", "gained", case, changes)


def _gcp_targets() -> Planted:
    b = GcpBuilder()
    b.firewall(gcp_rule("db", "ingress", "tcp/5432", "10.2.1.10/32", targets="tag:db"))
    b.machine("web", "web", "10.2.1.10", account="web")
    b.machine("other", "web", "10.2.1.11", account="web")
    b.machine("db", "data", "10.2.2.10", tags=["db"], account="db")
    estate = b.build()
    own = f"{b.network}/firewalls"
    new = gcp_rule("db-new", "ingress", "tcp/5432", "account:web", targets="account:db")
    changes = (_change("add", AddRule(own, new)), _change("remove", RemoveRule(own, "ingress/db")))
    network = b.network.removeprefix("gcp:")
    case = _case("gcp", estate, ("10.2.1.10", "10.2.2.10", 5432), network=network)
    return Planted("an account that another machine has too stands for a host", "gained", case, changes)


def _cluster() -> tuple[ClusterBuilder, str]:
    b = ClusterBuilder("live", live=True)
    for number, (name, labels) in enumerate(
        (("web", {"app": "web", "tier": "front"}), ("api", {"app": "api", "tier": "front"}), ("db", {"app": "db"}))
    ):
        b.workload("shop", name, labels, addresses=AddressSet.parse(f"10.42.1.{10 + number}"))
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    return b, qualified("kubernetes", "live", "shop/NetworkPolicy/db")


def _wider_selector() -> Planted:
    b, own = _cluster()
    b.policy("shop", "spare", {"app": "none"}, ingress=(admit("tcp/5432", Pods({"tier": "front"})),))
    estate = b.build()
    spare = estate.rule_sets[qualified("kubernetes", "live", "shop/NetworkPolicy/spare")].rules[0]
    old = estate.rule_sets[own].rules[0]
    assert isinstance(spare.remote[0], GroupRef)
    new = Change(
        edits=(AddRule(own, spare.__class__(id="new", direction="ingress", verdict="accept", traffic=spare.traffic,
                                            remote=spare.remote)),),
        phase="add", reason="it is wrong", undo="do not do it",
    )  # fmt: skip
    case = _case("kubernetes", estate, ("10.42.1.10", "10.42.1.12", 5432), network=None)
    return Planted(
        "a label that other pods bear too stands for pods", "gained", case,
        (new, _change("remove", RemoveRule(own, old.id))),
    )  # fmt: skip


def _opens_a_pod() -> Planted:
    b, own = _cluster()
    case = _case("kubernetes", b.build(), ("10.42.1.10", "10.42.1.12", 5432), network=None)
    return Planted("the only policy that isolates a pod goes", "gained", case, (_change("clean", RemoveRuleSet(own)),))


def _isolates_a_pod() -> Planted:
    b, _ = _cluster()
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/443", Pods({"app": "api"})),))
    estate = b.build()
    web = estate.rule_sets[qualified("kubernetes", "live", "shop/NetworkPolicy/web")]
    rule_sets = {key: each for key, each in estate.rule_sets.items() if key != web.id}
    before = dataclasses.replace(estate, rule_sets=rule_sets)
    case = _case("kubernetes", before, ("10.42.1.12", "10.42.1.10", 8080), network=None)
    return Planted("a first policy isolates a pod that is talked to", "lost", case, (_change("add", AddRuleSet(web)),))


PLANTED: tuple[Callable[[], Planted], ...] = (
    _widens, _loses, _widens_six, _removes_first, _brings_grants, _born_open, _unveils, _unveils_a_denial,
    _before_a_denial, _gcp_targets, _wider_selector, _opens_a_pod, _isolates_a_pod,
)  # fmt: skip
