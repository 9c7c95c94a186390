"""Tiers, environments and flat networks: which tags decide, what is exempt, and when nothing can be said."""

from collections.abc import Callable, Mapping

import pytest

from cloudseg.checks import cross_environment_path, flat_network, tier_skip
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import AuditContext, Check
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding
from cloudseg.intent import Intent
from cloudseg.model import Estate
from cloudseg.reach.internet import InternetView
from cloudseg.segments import Choice, Segment

Findings = Callable[..., list[Finding]]


def open_to_all(*machines: Mapping[str, str], unread: tuple[str, ...] = ()) -> EstateBuilder:
    """Machines that all reach each other on the port of a database, each with its tags."""
    b = EstateBuilder(unread=unread)
    b.group("sg-open", allow("ingress", "tcp/5432", "10.0.0.0/16"), allow("egress", "all", "0.0.0.0/0"))
    for number, tags in enumerate(machines):
        b.interface(f"eni-{number}", groups=["sg-open"], address=f"10.0.2.{10 + number}", tags=dict(tags))
    return b


def shop(tier: str, **more: str) -> dict[str, str]:
    return {"application": "shop", "tier": tier, **more}


def told(found: list[Finding]) -> list[str]:
    return [finding.message.partition(":")[0] for finding in found]


def unable(check: Check, estate: Estate) -> str:
    (status,) = run_audit(estate, AuditRequest(checks=(check,), exposure=False)).checks
    assert (status.status == "not evaluated") == bool(status.reason)
    return status.reason


def test_every_jump_inwards_is_told_and_no_step_to_the_next_tier(findings: Findings) -> None:
    estate = open_to_all(*(shop(tier) for tier in ("edge", "web", "app", "db"))).build()
    assert told(findings(tier_skip.CHECK, estate)) == [
        "shop/edge/- reaches shop/app/- past web",
        "shop/edge/- reaches shop/db/- past app and web",
        "shop/web/- reaches shop/db/- past app",
    ]


def test_tiers_are_told_apart_in_any_case_and_by_several_words(findings: Findings) -> None:
    estate = open_to_all(shop("Frontend"), shop("BACKEND"), shop("Database")).build()
    assert told(findings(tier_skip.CHECK, estate)) == ["shop/Frontend/- reaches shop/Database/- past BACKEND"]


def test_the_tiers_of_an_intent_go_before_the_setting(findings: Findings) -> None:
    estate = open_to_all(shop("web"), shop("cache"), shop("db")).build()
    assert findings(tier_skip.CHECK, estate) == []
    meant = Intent(tiers=(("web",), ("cache",), ("db",)))
    assert told(findings(tier_skip.CHECK, estate, intent=meant)) == ["shop/web/- reaches shop/db/- past cache"]
    assert told(findings(tier_skip.CHECK, estate, tiers=("web", "cache", "db"))) == [
        "shop/web/- reaches shop/db/- past cache"
    ]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"application": "reports", "tier": "db"}, []),
        ({"tier": "db"}, ["shop/web/prod reaches -/db/- past app"]),
        ({"application": "shop", "tier": "db"}, ["shop/web/prod reaches shop/db/- past app"]),
        ({"application": "shop", "tier": "db", "env": "dev"}, []),
        ({"application": "shop", "tier": "else"}, []),
    ],
)
def test_an_interface_without_a_tag_counts_to_every_application_and_environment(
    other: dict[str, str], expected: list[str], findings: Findings
) -> None:
    estate = open_to_all(shop("web", env="prod"), shop("app", env="prod"), other).build()
    assert told(findings(tier_skip.CHECK, estate)) == expected


@pytest.mark.parametrize("shared", ["eni-0", "eni-2"])
def test_shared_segments_may_skip_a_tier_and_be_reached_past_one(shared: str, findings: Findings) -> None:
    estate = open_to_all(shop("web"), shop("app"), shop("db")).build()
    segment = Segment(name="common", choice=Choice(ids=(shared,)))
    assert findings(tier_skip.CHECK, estate, intent=Intent(segments=(segment,), shared=("common",))) == []
    assert len(findings(tier_skip.CHECK, estate, intent=Intent(segments=(segment,)))) == 1


def test_other_tags_can_mean_the_tier(findings: Findings) -> None:
    estate = open_to_all(*({"layer": tier} for tier in ("web", "app", "db"))).build()
    assert "[labels] in cloudseg.toml" in unable(tier_skip.CHECK, estate)
    labels = {"application": ("app",), "tier": ("layer",), "environment": ("env",)}
    document = run_audit(estate, AuditRequest(checks=(tier_skip.CHECK,), labels=labels, exposure=False))
    assert told(list(document.findings)) == ["-/web/- reaches -/db/- past app"]
    # The shares of workloads that show no application and no environment.
    assert ["(100 %) show no" in note for note in document.notes] == [True, True]


def test_without_tags_or_with_unknown_ones_the_check_says_so() -> None:
    assert "no interface shows its tier" in unable(tier_skip.CHECK, open_to_all({}, {"app": "shop"}).build())
    assert "there are red" in unable(tier_skip.CHECK, open_to_all({"tier": "red"}).build())
    assert "no interface shows its environment" in unable(cross_environment_path.CHECK, open_to_all({}).build())
    assert unable(cross_environment_path.CHECK, open_to_all({"env": "prod"}).build()) == ""


@pytest.mark.parametrize(
    ("one", "other", "severities"),
    [
        ("prod", "dev", ["high", "high"]),
        ("PRD", "staging", ["high", "high"]),
        ("test", "dev", ["medium", "medium"]),
        ("prod", "live", []),
        ("Dev", "dev", []),
        ("prod", "mgmt", []),
    ],
)
def test_environments_are_told_apart_by_their_values(
    one: str, other: str, severities: list[str], findings: Findings
) -> None:
    found = findings(cross_environment_path.CHECK, open_to_all({"env": one}, {"env": other}).build())
    assert [finding.severity.value for finding in found] == severities
    assert all(finding.resource.id == "vpc-1" for finding in found)
    assert len({finding.id for finding in found}) == len(found)


def test_only_a_ping_between_environments_is_low(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "icmp/8", "10.0.0.0/16"))
    b.group("sg-b", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-a", groups=["sg-a"], address="10.0.2.10", tags={"env": "prod"})
    b.interface("eni-b", groups=["sg-b"], address="10.0.2.11", tags={"env": "dev"})
    assert [finding.severity.value for finding in findings(cross_environment_path.CHECK, b.build())] == ["low"]


def test_what_is_not_known_is_told_with_low_confidence(findings: Findings) -> None:
    b = open_to_all({"env": "prod"})
    b.group("sg-closed")
    b.interface("eni-9", groups=["sg-closed"], address="10.0.2.99", tags={"env": "dev"}, attached_unread=True)
    found = findings(cross_environment_path.CHECK, b.build())
    assert [finding.confidence for finding in found] == ["low", "low"]
    assert [finding.reachable for finding in found] == [None, None]
    assert any("at most" in fact and "was not read" in fact for fact in found[0].evidence)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, 0), ({"any_port_percent": 34}, 0), ({"any_port_percent": 33}, 1), ({"smallest": 7}, 0)],
)
def test_a_network_is_flat_from_its_threshold_on(settings: dict[str, int], expected: int, findings: Findings) -> None:
    # Two of six machines take connections: 10 of 30 pairs can talk.
    b = EstateBuilder()
    b.group("sg-open", allow("ingress", "tcp/443", "10.0.0.0/16"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-closed", allow("egress", "all", "0.0.0.0/0"))
    for number in range(6):
        b.interface(f"eni-{number}", groups=["sg-open" if number < 2 else "sg-closed"], address=f"10.0.2.{10 + number}")
    found = findings(flat_network.CHECK, b.build(), **settings)
    assert len(found) == expected
    if found:
        assert found[0].message == (
            "vpc-1: 33 % of the pairs of its 6 interfaces can talk, 0 % on ports of administration"
        )
        assert found[0].affected == ("eni-0", "eni-1")
        assert "ingress/tcp/443/10.0.0.0/16 of sg-open admits it for 10 pairs: tcp/443 from 10.0.0.0/16" in (
            found[0].evidence
        )


def test_a_flat_segment_of_a_network_that_is_not_flat_is_told_as_such(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-open", allow("ingress", "all", "sg-open"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-closed")
    for number in range(20):
        tags = {"app": "shop", "env": "prod"} if number < 5 else {}
        group = "sg-open" if number < 5 else "sg-closed"
        b.interface(f"eni-{number}", groups=[group], address=f"10.0.2.{10 + number}", tags=tags)
    (found,) = findings(flat_network.CHECK, b.build())
    assert found.severity.value == "low"
    assert found.message.startswith("vpc-1, segment shop/prod: 100 % of the pairs of its 5 interfaces can talk")
    assert "the network: 20 of 380 pairs can talk on any port, 20 on ports of administration" in found.evidence


def test_interfaces_that_only_pass_packets_on_do_not_count(findings: Findings) -> None:
    untagged: dict[str, str] = {}
    b = open_to_all(*[untagged] * 4)
    b.interface("eni-nat", "subnet-public", address="10.0.1.4", role="nat_gateway", managed_by="amazon-vpc")
    assert findings(flat_network.CHECK, b.build()) == []
    b.interface("eni-5", groups=["sg-open"], address="10.0.2.30")
    (found,) = findings(flat_network.CHECK, b.build())
    assert "eni-nat" not in found.affected


@pytest.mark.parametrize("check", [tier_skip.CHECK, cross_environment_path.CHECK, flat_network.CHECK])
def test_an_estate_without_interfaces_has_no_findings(check: Check, findings: Findings) -> None:
    assert findings(check, EstateBuilder().build()) == []


def test_segments_come_from_the_intent_where_there_is_one() -> None:
    estate = open_to_all(shop("web"), shop("db")).build()
    context = AuditContext(estate=estate, check=tier_skip.CHECK, settings={}, internet=InternetView(estate))
    assert context.segmentation.names == ("shop/db/-", "shop/web/-")
    assert context.intent_matrix is None
    meant = Intent(segments=(Segment(name="all", choice=Choice(names=("*",))),))
    context = AuditContext(
        estate=estate, check=tier_skip.CHECK, settings={}, internet=InternetView(estate), intent=meant
    )
    assert context.segmentation.names == ("all",)
    assert context.intent_matrix is not None
