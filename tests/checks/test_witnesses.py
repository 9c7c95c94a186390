"""Every finding that tells of a path shows one packet, and reachability and its explanation confirm that it passes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from random import Random

import msgspec
import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.interface import AuditContext, Check, Example
from cloudseg.checks.redundancy import Redundant, redundant_rules
from cloudseg.demo import demo_intent_path, demo_snapshot_path
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding
from cloudseg.intent import Intent
from cloudseg.intent_file import read_intent
from cloudseg.model import Direction, Entrance, Estate, Rule
from cloudseg.providers.aws.translate import translate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.internet import InternetView
from cloudseg.reach.names import NameIndex
from cloudseg.reach.reachability import Reachability
from cloudseg.segments import Choice, Segment
from cloudseg.snapshot import load
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic
from tests.oracle.compare import estate_of
from tests.oracle.estates import raw_estate
from tests.reach.balancers import balancer, forward, q, target
from tests.reach.test_random_balancers import built, draw

PATHS = ("internet-exposed-port", "flat-network", "tier-skip", "cross-environment-path", "outside-intent")
ROUTES = ("firewall-bypass", "unfiltered-internet-route", "wide-peering-route")
EXAMPLES = [(check, example) for check in CHECKS if check.id in PATHS for example in check.examples if example.finds]
BY_ID = {check.id: check for check in CHECKS}
WITNESS = re.compile(r"witness: (\S+) → (\S+) (\S+)(?: \(.*\))?")
End = str | AddressSet


@cache
def demo() -> tuple[Estate, Reachability, tuple[Finding, ...]]:
    estate = translate(load(demo_snapshot_path()))
    document = run_audit(estate, AuditRequest(intent=read_intent(demo_intent_path())))
    return estate, Reachability(estate), document.findings


def found_in(check: Check, example: Example) -> tuple[Estate, list[Finding]]:
    estate = example.build()
    return estate, found_by(check, estate, None if example.intent is None else example.intent())


def found_by(check: Check, estate: Estate, intent: Intent | None = None) -> list[Finding]:
    context = AuditContext(
        estate=estate,
        check=check,
        settings={parameter.name: parameter.default for parameter in check.parameters},
        internet=InternetView(estate),
        as_of=estate.taken_at,
        intent=intent,
    )
    return list(check.run(context))


def witnesses(finding: Finding, estate: Estate) -> Iterator[tuple[End, End, Traffic]]:
    for fact in finding.evidence:
        if found := WITNESS.fullmatch(fact):
            yield end(found[1], estate), end(found[2], estate), Traffic.parse(found[3])


def end(text: str, estate: Estate) -> End:
    # Pods of manifests have no address, and are shown by their ids.
    pods = [each.id for each in estate.interfaces.values() if each.is_pod and each.own_id == text]
    if pods:
        return pods[0]
    address = AddressSet.parse(text)
    inside = [each.id for each in estate.interfaces.values() if (each.addresses | each.public).overlaps(address)]
    assert len(inside) < 2
    return inside[0] if inside else address


def confirm(reach: Reachability, finding: Finding, source: End, target: End, packet: Traffic) -> None:
    verdict = reach.between(source, target)
    assert packet <= (verdict.lower if finding.confidence == "high" else verdict.upper)
    assert explain(reach, source, target, packet).verdict in (
        {"allowed"} if finding.confidence == "high" else {"allowed", "partly", "unknown"}
    )


@pytest.mark.parametrize("check", PATHS)
def test_every_witness_of_the_demo_is_confirmed(check: str) -> None:
    estate, reach, findings = demo()
    told = [finding for finding in findings if finding.check == check]
    assert told
    for finding in told:
        shown = list(witnesses(finding, estate))
        # Behind a load balancer there are two steps.
        assert len(shown) == (2 if any("(to the load balancer)" in fact for fact in finding.evidence) else 1)
        for witness in shown:
            confirm(reach, finding, *witness)


@pytest.mark.parametrize(
    ("check", "example"), EXAMPLES, ids=[f"{check.id}: {example.name}" for check, example in EXAMPLES]
)
def test_every_witness_of_an_example_is_confirmed(check: Check, example: Example) -> None:
    estate, findings = found_in(check, example)
    reach = Reachability(estate)
    for finding in findings:
        shown = list(witnesses(finding, estate))
        # Where no interface was read there is none to show, nor where it is not known how packets get to a service.
        unsure = finding.provider == "kubernetes" and finding.confidence == "low"
        assert len(shown) == 1 or ((unsure or not estate.interfaces) and not shown)
        for witness in shown:
            confirm(reach, finding, *witness)


def certain_or_not(reach: Reachability, finding: Finding) -> None:
    """Confirm the witnesses of a finding about routes: its confidence is about these, and not about the rules."""
    for fact in finding.evidence:
        for one, other, packet in witnesses(finding, reach.estate) if fact.startswith("witness: ") else ():
            verdict = reach.between(one, other)
            assert packet <= (verdict.upper if fact.endswith("; at most)") else verdict.lower)


@pytest.mark.parametrize("check", ROUTES)
def test_ways_around_and_out_are_shown_by_a_packet_that_passes(check: str) -> None:
    estate, reach, findings = demo()
    told = [finding for finding in findings if finding.check == check]
    assert told
    for finding in told:
        assert len(list(witnesses(finding, estate))) == 1
        certain_or_not(reach, finding)


@pytest.mark.parametrize(
    ("check", "example"),
    [(BY_ID[check], example) for check in ROUTES for example in BY_ID[check].examples if example.finds],
    ids=lambda each: getattr(each, "id", "") or each.name,
)
def test_what_an_example_shows_of_a_way_is_confirmed(check: Check, example: Example) -> None:
    estate, findings = found_in(check, example)
    for finding in findings:
        assert len(list(witnesses(finding, estate))) <= 1
        certain_or_not(Reachability(estate), finding)


def test_where_rules_let_nothing_pass_on_a_way_no_packet_is_shown() -> None:
    b = EstateBuilder()
    b.group("sg-closed")
    b.interface("eni-closed", groups=["sg-closed"])
    (finding,) = found_by(BY_ID["unfiltered-internet-route"], b.build())
    assert not [fact for fact in finding.evidence if fact.startswith("witness")]


def test_every_witness_names_ends_that_explain_takes() -> None:
    estate, _, findings = demo()
    names = NameIndex(estate)
    shown = [each for finding in findings for fact in finding.evidence if (each := WITNESS.fullmatch(fact))]
    assert len(shown) > 40
    assert len(shown) == sum(fact.startswith("witness") for finding in findings for fact in finding.evidence)
    for each in shown:
        assert names.find(each[1], "--from").ends
        assert names.find(each[2], "--to").ends
        assert Traffic.parse(each[3])


def test_an_address_that_several_interfaces_bear_is_not_shown_for_one_of_them() -> None:
    b = EstateBuilder()
    b.network("vpc-2", "10.0.0.0/16")
    b.subnet("subnet-2", "10.0.2.0/24", "vpc-2")
    b.interface("eni-1", "subnet-private", [], "10.0.2.10")
    b.interface("eni-2", "subnet-2", [], "10.0.2.10")
    (finding,) = [each for each in found_by(BY_ID["unfiltered-internet-route"], b.build()) if "vpc-1" in each.message]
    assert "witness: eni-1 → 1.0.0.1 tcp/22 (from eni-1; at most)" in finding.evidence


def test_an_explanation_of_the_packet_shows_the_earlier_entry_decide() -> None:
    estate, reach, findings = demo()
    told = [finding for finding in findings if finding.check == "shadowed-rule"]
    shown = [witness for finding in told for witness in witnesses(finding, estate)]
    assert shown
    for finding in told:
        for one, other, packet in witnesses(finding, estate):
            steps = explain(reach, one, other, packet).steps
            deciding = {rule.rule for step in steps if step.kind in {"boundary", "checkpoint"} for rule in step.rules}
            assert any(fact.startswith(f"{rule} ") for rule in deciding for fact in finding.evidence)


@pytest.mark.parametrize(
    "example",
    [each for each in BY_ID["shadowed-rule"].examples if each.finds and not each.build().interfaces],
    ids=lambda each: each.name,
)
def test_where_no_interface_is_behind_a_list_no_packet_shows_an_entry_that_never_decides(example: Example) -> None:
    _, findings = found_in(BY_ID["shadowed-rule"], example)
    assert not [fact for finding in findings for fact in finding.evidence if fact.startswith("witness")]


def deciding_list(*, local: bool) -> Estate:
    """A list that denies what an entry below it allows, from the neighbour ``eni-app`` or from a network far away."""
    b = EstateBuilder()
    b.group("sg-all", allow("ingress", "all", "0.0.0.0/0"), allow("egress", "all", "0.0.0.0/0"))
    ranges = "10.0.0.0/16" if local else "10.60.0.0/16"
    entries = (
        acl_entry("ingress", 50, "tcp/5432", ranges, deny=True),
        acl_entry("ingress", 60, "tcp/5432", ranges),
        acl_entry("ingress", 100, "all", "0.0.0.0/0"),
        acl_entry("egress", 100, "all", "0.0.0.0/0"),
    )
    b.acl("acl-1", ["subnet-private"], entries)
    b.interface("eni-app", "subnet-public", ["sg-all"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-all"], "10.0.2.9")
    return b.build()


def test_a_neighbour_is_shown_about_whose_packet_the_earlier_entry_has_the_last_word() -> None:
    estate = deciding_list(local=True)
    (finding,) = found_by(BY_ID["shadowed-rule"], estate)
    ((source, target, packet),) = witnesses(finding, estate)
    assert (source, target) == (q("eni-app"), q("eni-db"))
    told = explain(Reachability(estate), source, target, packet)
    assert [rule.rule for rule in told.blocked_by] == ["ingress/50"]


def test_what_else_stops_the_packet_that_shows_an_earlier_entry_is_said() -> None:
    estate = deciding_list(local=False)
    (finding,) = found_by(BY_ID["shadowed-rule"], estate)
    ((source, target, packet),) = witnesses(finding, estate)
    told = explain(Reachability(estate), source, target, packet)
    assert f"today more than that decides about this packet: {told.reason}" in finding.evidence


def both_admit(reach: Reachability, rules: Sequence[Redundant], findings: Sequence[Finding]) -> int:
    """Confirm what findings about redundant rules show, and return how many show a packet."""
    estate, shown = reach.estate, 0
    names = NameIndex(estate)
    # Policies of clusters are compared by their selectors, which no packet shows.
    findings = [finding for finding in findings if finding.provider != "kubernetes"]
    for rule, finding in zip(rules, findings, strict=True):
        told = [fact for fact in finding.evidence if fact.startswith(("witness: ", "no packet shows it: "))]
        assert len(told) == 1
        for found in filter(None, map(WITNESS.fullmatch, told)):
            ((source,), (target,)) = names.find(found[1], "--from").ends, names.find(found[2], "--to").ends
            packet = Traffic.parse(found[3])
            assert packet <= reach.between(source, target).lower & rule.rule.traffic
            explanation = explain(reach, source, target, packet)
            assert explanation.verdict == "allowed"
            own, others = (rule.rule_set.id, rule.rule.id), {(each.id, other.id) for each, other in rule.by}
            # A step names both; where packets may take several ways, what would have to go on all of them does.
            together = [*(step.rules for step in explanation.steps), *(cut.rules for cut in explanation.cuts)]
            named = [{(each.rule_set, each.rule) for each in some} for some in together]
            assert any(own in each and each & others for each in named), told
            shown += 1
    return shown


def redundant(estate: Estate) -> int:
    return both_admit(Reachability(estate), list(redundant_rules(estate)), found_by(BY_ID["redundant-rule"], estate))


def test_in_the_demo_a_packet_passes_by_a_redundant_rule_and_by_what_stands_in_for_it() -> None:
    estate, reach, findings = demo()
    told = [finding for finding in findings if finding.check == "redundant-rule"]
    assert both_admit(reach, list(redundant_rules(estate)), told) == len(told) > 0


@pytest.mark.parametrize(
    "example", [each for each in BY_ID["redundant-rule"].examples if each.finds], ids=lambda each: each.name
)
def test_what_an_example_shows_of_a_redundant_rule_is_confirmed(example: Example) -> None:
    redundant(example.build())


@pytest.mark.parametrize("appliances", [False, True])
def test_in_drawn_estates_both_rules_admit_the_packet_that_shows_it(*, appliances: bool) -> None:
    shown = sum(redundant(estate_of(raw_estate(seed, appliances=appliances).answers)) for seed in range(40, 60))
    assert shown > 200


def test_behind_load_balancers_both_rules_admit_the_packet_that_shows_it() -> None:
    assert sum(redundant(built(draw(Random(seed))).estate) for seed in range(20)) > 20


def beside(*rules: Rule) -> list[str]:
    """Why no packet shows that rules of ``sg-1``, which ``eni-1`` carries, are redundant."""
    b = EstateBuilder()
    b.group("sg-1", *rules)
    b.group("sg-2")
    b.interface("eni-1", "subnet-private", ["sg-1"], "10.0.2.10")
    (finding,) = found_by(BY_ID["redundant-rule"], b.build())
    return [fact for fact in finding.evidence if fact.startswith(("witness", "no packet"))]


@pytest.mark.parametrize(
    ("narrow", "why"),
    [
        ("sg-2", "no interface is in the group today"),
        ("10.0.9.0/24", "no interface has such an address today"),
        (
            "172.16.0.0/12",
            "no interface has such an address, and nothing of it was found that surely comes in from there",
        ),
        ("10.0.2.0/24", "nothing of it was found that surely passes from whom it names to who carries sg-1"),
    ],
)
def test_where_no_packet_shows_it_the_reason_is_said(narrow: str, why: str) -> None:
    wide = allow("ingress", "tcp/22", "everyone", rule_id="wide")
    assert beside(wide, allow("ingress", "tcp/22", narrow, rule_id="narrow")) == [f"no packet shows it: {why}"]


def test_a_rule_for_pings_alone_is_shown_by_one() -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "icmp", "10.0.0.0/16"), allow("ingress", "icmp", "10.0.2.0/24"), OPEN)
    b.interface("eni-1", "subnet-private", ["sg-1"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-1"], "10.0.2.11")
    assert redundant(b.build()) == 1


def public_pair(direction: Direction) -> Estate:
    b = EstateBuilder()
    wide, narrow = allow(direction, "tcp/443", "0.0.0.0/0"), allow(direction, "tcp/443", "198.51.100.0/24")
    b.group("sg-1", wide, narrow)
    b.interface("eni-1", "subnet-public", ["sg-1"], "10.0.1.10", "203.0.113.10")
    return b.build()


@pytest.mark.parametrize(
    ("direction", "shown"), [("ingress", "198.51.100.1 → 10.0.1.10"), ("egress", "10.0.1.10 → 198.51.100.1")]
)
def test_packets_from_and_to_the_internet_show_it_too(direction: Direction, shown: str) -> None:
    estate = public_pair(direction)
    (finding,) = found_by(BY_ID["redundant-rule"], estate)
    assert any(fact.startswith(f"witness: {shown} tcp/443 ") for fact in finding.evidence)
    assert redundant(estate) == 1


def test_a_load_balancer_without_a_listener_shows_no_packet() -> None:
    estate = behind("0.0.0.0/0", keeps=True)
    deaf = {name: msgspec.structs.replace(each, accepts=Traffic()) for name, each in estate.forwarders.items()}
    estate = replace(estate, forwarders=deaf)
    for finding in found_by(BY_ID["internet-exposed-port"], estate):
        if "sg-lb" in finding.message:
            assert not list(witnesses(finding, estate))
            assert (
                "nothing of it passes today: node belongs to a load balancer without a listener for it"
                in finding.evidence
            )
            break
    else:
        pytest.fail("the port of the load balancer was not told")


def test_what_blocked_intent_shows_does_not_pass_for_sure() -> None:
    estate, reach, findings = demo()
    told = [finding for finding in findings if finding.check == "blocked-intent"]
    assert len(told) > 5
    for finding in told:
        ((one, other, packet),) = witnesses(finding, estate)
        verdict = reach.between(one, other)
        assert not packet <= verdict.lower
        assert (finding.confidence == "high") == (not packet <= verdict.upper)


def test_every_witness_of_random_load_balancers_is_confirmed() -> None:
    sent_on = 0
    for seed in range(6):
        reach = built(draw(Random(seed)))
        estate = reach.estate
        named = (Segment(name=each.own_id, choice=Choice(ids=(each.own_id,))) for each in estate.interfaces.values())
        for finding in found_by(BY_ID["outside-intent"], estate, Intent(segments=tuple(named), allow=())):
            (witness,) = witnesses(finding, estate)
            confirm(reach, finding, *witness)
            sent_on += finding.message.startswith("node-")
    assert sent_on > 5


OPEN = allow("egress", "all", "0.0.0.0/0")


def behind(
    ingress: str, *, keeps: bool, heard: str = "198.51.100.0/24", healthy: bool = True, used: str = ""
) -> Estate:
    """A network load balancer that the internet reaches, and ``eni-app`` behind it, which has no public address.

    Another network of the estate uses the range ``used``.
    """
    b = EstateBuilder()
    if used:
        b.network("vpc-2", used)
    b.group("sg-lb", allow("ingress", "tcp/443", heard), OPEN)
    b.group("sg-app", allow("ingress", "tcp/8080", ingress), OPEN)
    b.interface("node", "subnet-public", ["sg-lb"], "10.0.1.9", "203.0.113.9", workload=q("lb"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    sent = forward(target(healthy=healthy), keeps_client=keeps)
    balancer(b, sent, zones=None)
    b.put(
        "entrances",
        Entrance(
            id=q("tg-1"), kind="target-group", region="eu-west-1", targets=frozenset({q("eni-app")}),
            through=frozenset({q("lb")}), traffic=sent.traffic, listens=sent.listens,
            clients=ALL_ADDRESSES if keeps else AddressSet.parse("10.0.1.9"),
        ),
    )  # fmt: skip
    return b.build()


@pytest.mark.semantics(42)
@pytest.mark.parametrize(("ingress", "keeps"), [("0.0.0.0/0", True), ("198.51.0.0/16", True), ("0.0.0.0/0", False)])
def test_behind_a_load_balancer_the_way_to_it_and_the_way_from_it_are_shown(ingress: str, *, keeps: bool) -> None:
    estate = behind(ingress, keeps=keeps)
    (finding,) = [each for each in found_by(BY_ID["internet-exposed-port"], estate) if "sg-app" in each.message]
    assert [fact for fact in finding.evidence if fact.startswith("witness")] == [
        "witness: 198.51.100.1 → 10.0.1.9 tcp/443 (to the load balancer)",
        "witness: 10.0.1.9 → 10.0.2.10 tcp/8080 (the load balancer sends it on)",
    ]
    for witness in witnesses(finding, estate):
        confirm(Reachability(estate), finding, *witness)


@pytest.mark.semantics(42)
def test_a_client_whose_range_a_network_uses_in_private_is_shown_on_its_way_through_the_load_balancer() -> None:
    estate = behind("198.51.100.0/24", keeps=True, used="198.51.100.0/24")
    (finding,) = [each for each in found_by(BY_ID["internet-exposed-port"], estate) if "sg-app" in each.message]
    assert [fact for fact in finding.evidence if fact.startswith("witness")] == [
        "witness: 198.51.100.1 → 10.0.1.9 tcp/443 (to the load balancer)",
        "witness: 10.0.1.9 → 10.0.2.10 tcp/8080 (the load balancer sends it on)",
    ]


@pytest.mark.semantics(42)
def test_that_a_load_balancer_may_not_send_it_on_is_told() -> None:
    estate = behind("0.0.0.0/0", keeps=True, healthy=False)
    (finding,) = [each for each in found_by(BY_ID["internet-exposed-port"], estate) if "sg-app" in each.message]
    (sent,) = (fact for fact in finding.evidence if "sends it on" in fact)
    assert sent.endswith("at most: the health of the target is not good, so that others go before it)")
    source, target, packet = list(witnesses(finding, estate))[1]
    assert Reachability(estate).between(source, target).upper == packet


def test_what_comes_straight_is_shown_before_what_comes_by_a_load_balancer() -> None:
    estate = behind("0.0.0.0/0", keeps=True, heard="0.0.0.0/0")
    b = EstateBuilder()
    b.interface("eni-app", "subnet-public", ["sg-app"], "10.0.1.10", "203.0.113.10")
    estate = replace(estate, interfaces={**estate.interfaces, q("eni-app"): b.build().interfaces[q("eni-app")]})
    (finding,) = [each for each in found_by(BY_ID["internet-exposed-port"], estate) if "sg-app" in each.message]
    (witness,) = witnesses(finding, estate)
    assert witness[1] == q("eni-app")
    confirm(Reachability(estate), finding, *witness)


def meeting(ingress: str, public: str = "198.51.100.5") -> Estate:
    """Two interfaces of one network: ``eni-server``, which has a public address, takes ``ingress`` on tcp/443."""
    b = EstateBuilder()
    b.group("sg-app", OPEN)
    b.group("sg-server", allow("ingress", "tcp/443", ingress), OPEN)
    b.interface("eni-app", "subnet-public", ["sg-app"], "10.0.1.5", public)
    b.interface("eni-server", "subnet-public", ["sg-server"], "10.0.1.6", "198.51.100.6")
    return b.build()


@pytest.mark.semantics(6, 33)
@pytest.mark.parametrize(
    ("ingress", "shown"),
    [
        ("198.51.100.5/32", "198.51.100.5 → 198.51.100.6"),
        ("10.0.1.5/32", "10.0.1.5 → 10.0.1.6"),
        ("0.0.0.0/0", "10.0.1.5 → 10.0.1.6"),
    ],
)
def test_public_addresses_are_shown_of_ends_that_talk_over_these_alone(ingress: str, shown: str) -> None:
    estate = meeting(ingress)
    named = [Segment(name=name, choice=Choice(ids=(f"eni-{name}",))) for name in ("app", "server")]
    intent = Intent(segments=tuple(named), allow=())
    found = found_by(BY_ID["outside-intent"], estate, intent)
    (finding,) = [each for each in found if each.message.startswith("app to server ")]
    assert f"witness: {shown} tcp/443 (from eni-app, to eni-server)" in finding.evidence
    for witness in witnesses(finding, estate):
        confirm(Reachability(estate), finding, *witness)
