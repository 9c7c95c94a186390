"""A rule that could go, and nothing would change.

What it finds:
    Allowing rules of groups all of whose packets other rules admit as well, for every interface that the group judges:
    rules of the same group, or of groups that judge all these interfaces too. Ranges and ports count as sets, so two
    halves stand in for the whole. A rule that names a group is redundant beside one that names the same group, or
    beside addresses that hold every address which a member of it can have; never because nobody is there today, or
    because no route leads there. Members that keep the addresses of their clients, as nodes of a network load balancer
    do, can have any. What launch templates and the like would attach groups to counts as an interface too. Of equal
    rules the later ones are told, by their ids. All rules that are told can go together. Groups that no interface
    carries are left out: ``unused-group`` tells those. A packet that passes shows it, of which ``explain`` names both
    rules; where none is shown, it is said why.
    In a cluster, rules of network policies that rules of policies admit as well which select all the same pods. It is
    selectors that are compared, so that it holds for pods that come later. Such a rule may go, and its policy may have
    to stay, since it isolates; the evidence says where. What a mesh or a proxy asks of requests is not compared.

Why it matters:
    Who removes or narrows one of two such rules believes that a path is closed, and it stays open through the other.
    Long lists are not read, and they use up the quota of rules.

Example:
    ``tcp/443 from 10.0.1.0/24`` beside ``tcp/443 from 10.0.0.0/16``.

Remedy:
    Remove it. If the rule that stands in for it is wider than it must be, narrow that one and keep the other.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.policy_cover import redundant_in_clusters
from cloudseg.checks.rule_lists import managed, shown, traffic_words
from cloudseg.findings import Remedy, Severity, normal_form, peer_text
from cloudseg.model import GroupRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.redundancy import Redundant
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Rule, RuleSet

_SHOWN = 5


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule of which other rules admit everything."""
    from cloudseg.checks.redundancy import redundant_rules
    from cloudseg.checks.rule_witnesses import RuleWitnesses

    yield from _of_policies(context)
    told = list(redundant_rules(context.estate))
    if not told:
        return
    # Rules of one list that do the same are one to a fingerprint: their place among these tells them apart.
    alike: Counter[str] = Counter()
    for found, witness in zip(told, RuleWitnesses(context).of(told), strict=True):
        finding = _finding(context, found, witness)
        alike[finding.id] += 1
        again = alike[finding.id]
        yield finding if again == 1 else _finding(context, found, witness, str(again))


def _finding(context: AuditContext, found: Redundant, witness: str, aspect: str = "") -> Finding:
    rule_set, rule = found.rule_set, found.rule
    ids = [other.id for _, other in found.by]
    by = ids[0] if len(ids) == 1 else f"{shown(ids, limit=3)}{'' if found.alone else ' together'}"
    addresses = _by_addresses(found)
    advice = (
        "keep it and remove the addresses, if the group is all that is meant; else remove it, which changes nothing"
        if addresses
        else "remove it, which changes nothing; or narrow the one that is too wide, and keep it"
    )
    return context.finding(
        rule_set,
        f"{rule_set.label}: {_says(rule)} is admitted anyway, by {by}",
        rule=rule,
        evidence=(
            *(f"{other.id} of {owner.label} admits {_says(other)}" for owner, other in found.by[:_SHOWN]),
            *((f"{len(found.by) - _SHOWN} more rules take part",) if len(found.by) > _SHOWN else ()),
            *_elsewhere(found),
            *addresses,
            witness,
            *managed(rule_set),
        ),
        remedy=Remedy("remove-unused-rule", advice),
        aspect=aspect,
    )


def _of_policies(context: AuditContext) -> Iterator[Finding]:
    alike: Counter[tuple[str, str]] = Counter()
    for found in redundant_in_clusters(context.estate):
        policy, rule = found.rule_set, found.rule
        form = (policy.id, normal_form(rule))
        alike[form] += 1
        by = shown([f"{owner.own_id} {other.id}" for owner, other in found.by], limit=3)
        yield context.finding(
            policy,
            f"{policy.own_id}: {_named(context, rule)} is admitted anyway, by {by}",
            rule=rule,
            evidence=(
                *(
                    f"{other.id} of {owner.own_id} admits {_named(context, other)}"
                    for owner, other in found.by[:_SHOWN]
                ),
                *_others_of(policy, found.by),
                *(
                    f"the policy itself isolates for {each} whom no other policy isolates: it must stay"
                    for each in found.needed
                ),
            ),
            affected=context.estate.governed(policy),
            remedy=Remedy(
                "remove-unused-rule",
                "remove the rule, which changes nothing; or narrow the one that is too wide, and keep it",
            ),
            aspect=str(alike[form]) if alike[form] > 1 else "",
        )


def _named(context: AuditContext, rule: Rule) -> str:
    end = "from" if rule.direction == "ingress" else "to"
    return f"{traffic_words(rule.traffic)} {end} {context.other_end(rule)}"


def _others_of(policy: RuleSet, by: Iterable[tuple[RuleSet, Rule]]) -> tuple[str, ...]:
    names = list(dict.fromkeys(owner.own_id for owner, _ in by if owner is not policy))
    if not names:
        return ()
    many = "selects" if len(names) == 1 else "each select"
    return (f"{shown(names)} {many} every pod that {policy.own_id} selects",)


def _says(rule: Rule) -> str:
    end = "from" if rule.direction == "ingress" else "to"
    return f"{traffic_words(rule.traffic)} {end} {peer_text(rule.remote)}"


def _elsewhere(found: Redundant) -> tuple[str, ...]:
    """Return that other lists judge wherever the rule's own does, where that is what makes it redundant."""
    own = found.rule_set.own_id
    names = list(dict.fromkeys([owner.own_id for owner, _ in found.by if owner is not found.rule_set]))
    if not names:
        return ()
    if len(names) == 1:
        return (f"every interface that {own} judges is judged by {names[0]} too",)
    return (f"every interface that {own} judges is judged by some of {shown(names)} too",)


def _by_addresses(found: Redundant) -> tuple[str, ...]:
    """Return why addresses stand in for a group, where they do."""
    groups = [peer for peer in found.rule.remote if isinstance(peer, GroupRef)]
    if not groups or all(any(group in other.remote for group in groups) for _, other in found.by):
        return ()
    return ("no member of the group has or passes on another address",)


def _wider_beside() -> Estate:
    b = EstateBuilder()
    b.group(
        "sg-web",
        allow("ingress", "tcp/443", "10.0.1.0/24"),
        allow("ingress", "tcp/443", "10.0.0.0/16"),
        allow("ingress", "tcp/22", "10.0.1.0/24"),
    )
    b.interface("eni-1", "subnet-private", ["sg-web"])
    return b.build()


def _two_halves() -> Estate:
    b = EstateBuilder()
    b.group(
        "sg-web",
        allow("ingress", "tcp/8000-8100", "10.0.0.0/9"),
        allow("ingress", "tcp/8000-8100", "10.128.0.0/9"),
        allow("ingress", "tcp/8080", "10.0.0.0/8"),
    )
    b.interface("eni-1", "subnet-private", ["sg-web"])
    return b.build()


def _equal_in_two_groups() -> Estate:
    b = EstateBuilder()
    b.group("sg-base", allow("ingress", "tcp/22", "sg-jump", rule_id="sgr-1"))
    b.group("sg-db", allow("ingress", "tcp/22", "sg-jump", rule_id="sgr-2"))
    b.group("sg-jump")
    b.interface("eni-1", "subnet-private", ["sg-db", "sg-base"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-base"], "10.0.2.11")
    return b.build()


def _group_beside_its_network() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-app"), allow("ingress", "tcp/5432", "10.0.0.0/8"))
    b.group("sg-app")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def _group_beside_one_address() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-app"), allow("ingress", "tcp/5432", "10.0.2.10"))
    b.group("sg-app")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def _nobody_there() -> Estate:
    b = EstateBuilder()
    b.group(
        "sg-db",
        allow("ingress", "tcp/5432", "10.0.9.0/24"),
        allow("ingress", "tcp/5432", "sg-app"),
        allow("egress", "tcp/5432", "10.0.9.0/24"),
        allow("ingress", "udp/53", "10.0.9.0/24"),
        allow("ingress", "udp/53", "2001:db8::/32"),
    )
    b.group("sg-app")
    b.group("sg-loose", allow("ingress", "tcp/443", "10.0.1.0/24"), allow("ingress", "tcp/443", "10.0.0.0/16"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b.build()


def _wider_policy() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    b.policy("shop", "same-namespace", ingress=(admit("tcp/5000-6000", Pods()),))
    return b.build()


def _policies_of_their_own() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", "tier": "web"})
    b.workload("shop", "db", {"app": "db", "tier": "data"})
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    # The same pods today, and others may come; and a default-deny beside another one is none of its business.
    b.policy("shop", "data", {"tier": "data"}, ingress=(admit("tcp/5432", Pods({"tier": "web"})),))
    b.policy("shop", "deny", ingress=())
    b.policy("shop", "deny-again", ingress=())
    return b.build()


CHECK = Check(
    id="redundant-rule",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("a wider range stands beside it", _wider_beside, ("sg-web",), Severity.LOW),
        Example("two halves beside it are the whole", _two_halves, ("sg-web",), Severity.LOW),
        Example("another group, which judges everywhere as well, says the same", _equal_in_two_groups, ("sg-db",)),
        Example("the whole range of the network stands beside a group", _group_beside_its_network, ("sg-db",)),
        Example("the address that the one member of a group has today stands beside it", _group_beside_one_address),
        Example(
            "a policy for all pods of a namespace admits more",
            _wider_policy,
            ("shop/NetworkPolicy/db",),
            Severity.LOW,
        ),
        Example("policies that select other pods, or name others", _policies_of_their_own),
        Example("rules that admit nobody today, and a group that no interface carries", _nobody_there),
    ),
    concept={
        "aws": "the rules of security groups, over all groups that an interface carries",
        "kubernetes": "the rules of network policies, over all policies that select a workload",
    },
    absent={
        "azure": "in an NSG the order decides: shadowed-rule tells the rules that earlier ones make idle, and "
        "missing-default-deny those that the default rule does",
        "gcp": "the order decides: shadowed-rule tells the rules that earlier ones, or others of their priority, make "
        "idle",
    },
    needs=("groups", "interfaces"),
    uses=("address-lists", "networks", "templates", "load-balancers", "endpoints"),
    compliance={
        "nist-800-53r5": ("AC-4", "CM-7"),
        "pci-dss-4.0": ("1.2.7",),
    },
    remedy="remove-unused-rule",
    per_rule=True,
)
