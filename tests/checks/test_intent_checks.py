"""What passes and was never intended, what is intended and does not pass: severities, exemptions, explanations."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.checks import blocked_intent, outside_intent
from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.findings import Finding
from cloudseg.intent import Allowance, Intent
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.segments import INTERNET, Choice, Segment
from cloudseg.traffic import NO_ADDRESSES, AddressSet, Traffic
from tests.reach.balancers import TARGET, balanced, forward, q
from tests.reach.public_balancers import CLIENT, SENT, public_balancer

Findings = Callable[..., list[Finding]]

DENIES = "(a security group denies what it does not allow)"
OFFICE = Segment(name="office", choice=Choice(addresses=AddressSet.parse("203.0.113.0/28")))
PARTNER = Segment(name="partner", choice=Choice(addresses=AddressSet.parse("192.168.0.0/16")))


def of_groups(*names: str) -> tuple[Segment, ...]:
    return tuple(Segment(name=name, choice=Choice(groups=(f"sg-{name}",))) for name in names)


def may(source: str, target: str, traffic: str, **more: str) -> Allowance:
    return Allowance(sources=(source,), targets=(target,), traffic=Traffic.parse(traffic), **more)


def meant(*allow: Allowance, others: tuple[Segment, ...] = ()) -> Intent:
    return Intent(segments=(*of_groups("web", "app"), *others), allow=allow)


def two(into_app: tuple[str, str] = ("tcp/8080", "sg-web"), into_web: tuple[str, str] | None = None) -> EstateBuilder:
    b = EstateBuilder()
    b.group(
        "sg-web", *([] if into_web is None else [allow("ingress", *into_web)]), allow("egress", "all", "10.0.0.0/8")
    )
    b.group("sg-app", allow("ingress", *into_app))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.10", "198.51.100.10")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b


def told(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(f.message.partition(":")[0], f.severity.value, f.confidence) for f in found]


@pytest.mark.parametrize(
    ("traffic", "severity"),
    [
        ("tcp/22", "high"),
        ("tcp/5432", "high"),
        ("all", "high"),
        ("tcp/9999", "medium"),
        ("tcp/443", "medium"),
        ("icmp/8", "low"),
    ],
)
def test_inside_the_traffic_decides_how_bad_it_is(traffic: str, severity: str, findings: Findings) -> None:
    found = findings(outside_intent.CHECK, two((traffic, "sg-web")).build(), intent=meant())
    assert told(found) == [("web to app is not intended", severity, "high")]


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        (("tcp/5432", "0.0.0.0/0"), "critical"),
        (("tcp/22", "0.0.0.0/0"), "high"),
        (("tcp/443", "0.0.0.0/0"), "high"),
        (("tcp/5432", "203.0.113.64/28"), "high"),
        (("icmp/8", "0.0.0.0/0"), "info"),
    ],
)
def test_from_the_internet_no_port_but_a_ping_is_harmless(
    rule: tuple[str, str], severity: str, findings: Findings
) -> None:
    found = findings(outside_intent.CHECK, two(into_web=rule).build(), intent=meant(may("web", "app", "tcp/8080")))
    assert told(found) == [("internet to web is not intended", severity, "high")]
    assert found[0].resource.id == "web"
    assert found[0].affected == ("eni-web",)


@pytest.mark.parametrize(("traffic", "severity"), [("all", "medium"), ("tcp/22", "medium"), ("tcp/443", "low")])
def test_what_leads_out_to_the_internet_is_milder(traffic: str, severity: str, findings: Findings) -> None:
    b = two()
    b.group("sg-web", allow("egress", traffic, "0.0.0.0/0"))
    b.group("sg-app")
    found = findings(outside_intent.CHECK, b.build(), intent=meant())
    assert told(found) == [("web to internet is not intended", severity, "high")]
    assert found[0].affected == ("eni-web",)


def test_only_what_goes_beyond_the_intent_is_told_of_one_pair_of_segments(findings: Findings) -> None:
    intent = meant(may("web", "app", "tcp/8000-8080"))
    (found,) = findings(outside_intent.CHECK, two(("tcp/8000-8090", "sg-web")).build(), intent=intent)
    assert found.message == "web to app is not intended: 1 of 1 pair on tcp/8081-8090"
    assert found.evidence == (
        "intended from web to app: tcp/8000-8080",
        "1 of 1 pair for sure: tcp/8081-8090",
        "ingress/tcp/8000-8090/sg-web of sg-app admits it for 1 pair: tcp/8000-8090 from sg-web",
        "witness: 10.0.1.10 → 10.0.2.10 tcp/8086 (from eni-web, to eni-app)",
    )


def test_a_temporary_allowance_that_is_over_allows_nothing_and_asks_for_nothing(findings: Findings) -> None:
    allowance = may("web", "app", "tcp/8080", expires="2026-01-14")
    assert len(findings(outside_intent.CHECK, two().build(), intent=meant(allowance))) == 1
    lasting = may("web", "app", "tcp/8080", expires="2026-01-15")
    assert findings(outside_intent.CHECK, two().build(), intent=meant(lasting)) == []
    closed = two(("tcp/8080", "10.0.9.0/24")).build()
    assert findings(blocked_intent.CHECK, closed, intent=meant(allowance)) == []
    assert len(findings(blocked_intent.CHECK, closed, intent=meant(lasting))) == 1


def test_what_the_internet_may_open_anyway_is_low_from_inside(findings: Findings) -> None:
    b = two(into_web=("tcp/443", "0.0.0.0/0"))
    b.group("sg-app", allow("egress", "tcp/443", "10.0.0.0/16"))
    intent = meant(may(INTERNET, "web", "tcp/443"))
    (found,) = findings(outside_intent.CHECK, b.build(), intent=intent)
    assert told([found]) == [("app to web is not intended", "low", "high")]
    assert "the internet may open it to web" in found.evidence


def test_a_named_part_of_the_internet_is_not_told_again(findings: Findings) -> None:
    wide = two(into_web=("tcp/22", "0.0.0.0/0")).build()
    intent = meant(may("web", "app", "tcp/8080"), others=(OFFICE,))
    assert told(findings(outside_intent.CHECK, wide, intent=intent)) == [
        ("internet to web is not intended", "high", "high")
    ]
    narrow = two(into_web=("tcp/22", "203.0.113.0/24")).build()
    assert len(findings(outside_intent.CHECK, narrow, intent=intent)) == 1
    office_alone = two(into_web=("tcp/22", "203.0.113.0/28")).build()
    (found,) = findings(outside_intent.CHECK, office_alone, intent=intent)
    assert found.message == "office to web is not intended: 1 of 1 interface on tcp/22"
    assert "outside addresses: 203.0.113.0/28" in found.evidence
    allowed = meant(may("web", "app", "tcp/8080"), may("office", "web", "tcp/22"), others=(OFFICE,))
    assert findings(outside_intent.CHECK, office_alone, intent=allowed) == []
    assert len(findings(outside_intent.CHECK, wide, intent=allowed)) == 1


def test_interfaces_in_no_segment_may_do_nothing(findings: Findings) -> None:
    b = two()
    b.group("sg-loose", allow("ingress", "tcp/22", "sg-web"), allow("egress", "tcp/8080", "sg-app"))
    b.group("sg-app", allow("ingress", "tcp/8080", "10.0.0.0/16"))
    b.interface("eni-loose", groups=["sg-loose"], address="10.0.2.30")
    found = findings(outside_intent.CHECK, b.build(), intent=meant(may("web", "app", "tcp/8080")))
    assert told(found) == [
        ("unassigned to app is not intended", "medium", "high"),
        ("web to unassigned is not intended", "high", "high"),
    ]
    assert [finding.resource.id for finding in found] == ["app", "unassigned"]
    assert len({finding.id for finding in found}) == 2


def test_an_interface_in_two_segments_may_do_what_either_may(findings: Findings) -> None:
    both = Segment(name="special", choice=Choice(ids=("eni-web",)))
    intent = meant(may("special", "app", "tcp/8080"), others=(both,))
    assert findings(outside_intent.CHECK, two().build(), intent=intent) == []
    (found,) = findings(outside_intent.CHECK, two().build(), intent=meant(others=(both,)))
    assert told([found]) == [("web+special to app is not intended", "medium", "high")]


def test_what_passes_at_most_is_told_with_low_confidence(findings: Findings) -> None:
    b = two(("tcp/22", "pl-unread"))
    b.prefix_list("pl-unread", read=False)
    (found,) = [
        finding
        for finding in findings(outside_intent.CHECK, b.build(), intent=meant())
        if finding.message.startswith("web to app")
    ]
    assert told([found]) == [("web to app is not intended", "high", "low")]
    assert found.reachable is None
    assert found.evidence[1:3] == (
        "none of 1 pair for sure",
        "1 at most: tcp/22; something on the way was not read",
    )


def test_a_private_range_outside_counts_like_a_segment(findings: Findings) -> None:
    b = two(("tcp/5432", "192.168.0.0/16"))
    b.route("rtb-private", "192.168.0.0/16", "private-gateway", "vgw-1")
    found = findings(outside_intent.CHECK, b.build(), intent=meant(others=(PARTNER,)))
    assert told(found) == [("partner to app is not intended", "high", found[0].confidence)]
    (found,) = findings(outside_intent.CHECK, b.build(), intent=meant())
    assert found.message.startswith("unassigned to app is not intended")


def test_only_some_of_many_pairs_carry_what_is_intended(findings: Findings) -> None:
    b = two()
    b.group("sg-bare")
    for number in range(11, 14):
        b.interface(f"eni-{number}", groups=["sg-app" if number < 13 else "sg-bare"], address=f"10.0.2.{number}")
    everywhere = Segment(name="app", choice=Choice(addresses=AddressSet.parse("10.0.2.0/24")))
    intent = Intent(
        segments=(*of_groups("web"), everywhere),
        allow=(may("web", "app", "tcp/8080", comment="orders", place="intent.yaml:9"),),
    )
    (found,) = findings(blocked_intent.CHECK, b.build(), intent=intent)
    assert told([found]) == [
        ("web to app is intended on tcp/8080, and only 3 of 4 pairs certainly carry all of it", "medium", "high")
    ]
    assert found.evidence == (
        "intended in intent.yaml:9: web to app: tcp/8080",
        "witness: 10.0.1.10 → 10.0.2.13 tcp/8080 (from eni-web, to eni-13)",
        f"why: no rule of sg-bare admits tcp/8080 from eni-web (10.0.1.10) {DENIES}",
    )


def test_everything_that_stops_a_pair_is_told_in_its_order(findings: Findings) -> None:
    b = two(("tcp/80", "sg-web"))
    b.group("sg-web", allow("egress", "tcp/443", "10.0.0.0/16"))
    b.acl("acl-1", ["subnet-public"], ACL_OPEN)
    b.acl("acl-2", ["subnet-private"], (acl_entry("egress", 100, "all", "0.0.0.0/0"),))
    (found,) = findings(blocked_intent.CHECK, b.build(), intent=meant(may("web", "app", "tcp/8080")))
    why, *others = [fact for fact in found.evidence if fact.startswith(("why", "and then"))]
    assert "sg-web" in why
    assert ["acl-2" in others[0], "sg-app" in others[1]] == [True, True]


@pytest.mark.parametrize(
    ("rule", "message", "severity"),
    [
        (("tcp/443", "0.0.0.0/0"), "", ""),
        (("tcp/443", "0.0.0.0/1"), "none of 1 interface certainly carries all of it", "low"),
        (("tcp/80", "0.0.0.0/0"), "none of 1 interface certainly carries any of it", "medium"),
    ],
)
def test_an_interface_with_ipv4_needs_all_of_the_ipv4_internet(
    rule: tuple[str, str], message: str, severity: str, findings: Findings
) -> None:
    found = findings(blocked_intent.CHECK, two(into_web=rule).build(), intent=meant(may(INTERNET, "web", "tcp/443")))
    assert [(f.message.partition(", and ")[2], f.severity.value) for f in found] == (
        [(message, severity)] if message else []
    )


def test_what_leads_out_is_looked_at_from_inside(findings: Findings) -> None:
    b = two()
    b.group("sg-web", allow("egress", "tcp/443", "0.0.0.0/0"))
    intent = meant(may("web", INTERNET, "tcp/443"), may("app", INTERNET, "tcp/443"))
    (found,) = findings(blocked_intent.CHECK, b.build(), intent=intent)
    assert told([found]) == [
        (
            "app to internet is intended on tcp/443, and none of 1 interface certainly carries any of it",
            "medium",
            "high",
        )
    ]
    assert found.resource.id == "app"


def test_what_may_pass_after_all_is_low_with_low_confidence(findings: Findings) -> None:
    b = two(("tcp/8080", "pl-unread"))
    b.prefix_list("pl-unread", read=False)
    (found,) = findings(blocked_intent.CHECK, b.build(), intent=meant(may("web", "app", "tcp/8080")))
    assert (found.severity.value, found.confidence) == ("low", "low")
    assert any(fact.startswith("unknown: ") for fact in found.evidence)


def test_an_allowance_of_everything_is_low_where_only_some_is_carried(findings: Findings) -> None:
    found = findings(
        blocked_intent.CHECK, two(("tcp/80", "10.9.0.0/16")).build(), intent=meant(may("web", "app", "all"))
    )
    assert [finding.severity.value for finding in found] == ["low"]


def test_a_segment_of_one_interface_asks_nothing_of_itself(findings: Findings) -> None:
    intent = meant(may("web", "web", "tcp/443"), may("app", "app", "all"))
    assert findings(blocked_intent.CHECK, two().build(), intent=intent) == []


@pytest.mark.parametrize("check", [outside_intent.CHECK, blocked_intent.CHECK])
def test_without_interfaces_or_an_intent_nothing_is_found(check: object, findings: Findings) -> None:
    assert findings(check, EstateBuilder().build(), intent=meant(may("web", "app", "tcp/443"))) == []
    assert findings(check, two().build()) == []


@pytest.mark.semantics(42)
def test_health_checks_of_a_load_balancer_carry_nothing_of_what_its_clients_may_open(findings: Findings) -> None:
    # Clients keep their addresses: a rule for the load balancer's own addresses admits its health checks and no client.
    checking, nodes = forward(keeps_client=True, checks=TARGET), "10.0.10.9/32, 10.0.20.9/32"
    intent = Intent(segments=of_groups("lb", "app"), allow=(may("lb", "app", TARGET),))
    assert not findings(blocked_intent.CHECK, balanced(checking, ingress="sg-lb").build(), intent=intent)
    (found,) = findings(blocked_intent.CHECK, balanced(checking, ingress=nodes).build(), intent=intent)
    assert (found.severity.value, found.confidence) == ("low", "low")


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, "allowed"),
        ({"admits": "10.0.0.0/16"}, "blocked"),
        ({"keeps_client": False}, "blocked"),
        ({"healthy": None}, "unknown"),
    ],
)
def test_what_the_internet_may_open_is_carried_by_a_load_balancer_that_keeps_its_clients(
    more: dict[str, Any], verdict: str, findings: Findings
) -> None:
    options: dict[str, Any] = {"admits": "0.0.0.0/0"} | more
    estate = public_balancer(**options).build()
    app = Segment(name="app", choice=Choice(ids=("eni-app",)))
    intent = Intent(segments=(app,), allow=(may(INTERNET, "app", SENT),))
    found = findings(blocked_intent.CHECK, estate, intent=intent)
    assert [each.confidence for each in found] == {"allowed": [], "blocked": ["high"], "unknown": ["low"]}[verdict]
    explained = explain(Reachability(estate), AddressSet.parse(CLIENT), q("eni-app"), Traffic.parse(SENT))
    assert explained.verdict == verdict


def open_pods(*, service: bool = False, unread: str = "", address: str = "") -> ClusterBuilder:
    """A workload whose policies nothing narrows."""
    b = ClusterBuilder(unread=[unread] if unread else [])
    b.workload("shop", "web", addresses=AddressSet.parse(address) if address else NO_ADDRESSES)
    if service:
        b.service("shop", "front", "web", listens="tcp/443", sends="all", keeps_clients=True)
    return b


def from_internet(b: ClusterBuilder, findings: Findings) -> list[Finding]:
    pods = (Segment(name="web", choice=Choice(labels={"app": ("web",)})),)
    found = findings(outside_intent.CHECK, b.build(), intent=Intent(segments=pods, allow=()))
    return [each for each in found if each.message.startswith("internet to web")]


def test_pods_that_policies_alone_open_to_the_internet_are_latent(findings: Findings) -> None:
    """All ports: medium in the latent column of the table; an audit says why."""
    (found,) = from_internet(open_pods(), findings)
    assert found.severity.value == "medium"
    assert any("nothing leads there from the internet: no Service, Ingress" in each for each in found.evidence)


@pytest.mark.parametrize(
    "b",
    [open_pods(service=True), open_pods(unread="entrances"), open_pods(address="2600:1f18::7")],
    ids=["a service leads there", "services were not read", "an address of the internet"],
)
def test_pods_to_which_something_may_lead_are_as_bad_as_what_is_open(b: ClusterBuilder, findings: Findings) -> None:
    (found,) = from_internet(b, findings)
    assert found.severity.value == "critical"
    assert not any("nothing leads there" in each for each in found.evidence)
