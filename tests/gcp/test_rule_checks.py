"""Checks of rules on Google Cloud: rules that are resources, orders of lists, targets, tags and accounts, ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.checks.example_gcp import GCP_PIPELINE
from cloudseg.cli.sources import translate
from cloudseg.engine import AuditRequest, run_audit, select_checks
from cloudseg.findings import Severity
from cloudseg.model import own_id, shown_id, unplaced
from cloudseg.providers.gcp.translate.pipeline import RULES_FIRST, pipelines
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import Traffic
from tests.gcp.agreeing import snapshot_of
from tests.gcp.raw import Raw
from tests.gcp.raw_more import secure_tag
from tests.gcp.raw_parts import DEFAULT_POLICY_RULES, Card, policy_rule, vpc

if TYPE_CHECKING:
    from cloudseg.findings import Finding
    from tests.gcp.oracle_records import Json

EXPOSURE = ("internet-exposed-port", "latent-internet-rule")
ACCOUNT = "web@shop.iam.gserviceaccount.com"
COMPUTE = "1001-compute@developer.gserviceaccount.com"


def found(raw: Raw, *checks: str) -> list[Finding]:
    request = AuditRequest(checks=select_checks(checks), exposure=False)
    return list(run_audit(translate(snapshot_of(raw.answers)), request).findings)


def shop(*, before: bool | None = None, public: str = "34.1.2.3", **rules: Json) -> Raw:
    """A network with the instances ``web`` (tag web, a public address) and ``db`` (tag db), and VPC rules by name."""
    raw = Raw()
    raw.network("vpc", before=before)
    raw.subnet("vpc", "front", "10.2.1.0/24")
    raw.subnet("vpc", "back", "10.2.2.0/24")
    raw.route("vpc", "default-route", "0.0.0.0/0", "gateway")
    raw.vm("web", Card("front", "10.2.1.10", public), tags=["web"], account=ACCOUNT)
    raw.vm("db", Card("back", "10.2.2.10"), tags=["db"], account="db@shop.iam.gserviceaccount.com")
    for name, rule in rules.items():
        add_rule(raw, name, rule)
    return raw


def add_rule(raw: Raw, name: str, rule: Json, network: str = "vpc") -> None:
    """Add a VPC rule under a name of its own."""
    project = raw.project_of(network)
    raw.add(name, "firewalls", f"global/firewalls/{name}", {**rule, "network": raw.link(network)}, project)


def shown(findings: list[Finding]) -> list[tuple[str, str, Severity]]:
    return [(each.check, each.resource.id, each.severity) for each in findings]


def test_a_finding_about_a_vpc_rule_is_about_the_rule() -> None:
    (finding,) = found(shop(ssh=vpc("allow", "tcp:22", target_tags=["web"])), "internet-exposed-port")
    assert finding.resource.kind == "vpc-firewall-rule"
    assert finding.resource.id == "global/firewalls/ssh"
    assert finding.resource.name == "ssh"
    assert finding.message.startswith("global/firewalls/ssh: tcp/22 of 1 interface")
    assert finding.affected == ("zones/us-central1-a/instances/web/nic0",)


def test_two_rules_of_one_network_that_say_the_same_are_two_findings() -> None:
    raw = shop(one=vpc("allow", "tcp:22", priority=900), two=vpc("allow", "tcp:22"))
    findings = found(raw, "internet-exposed-port")
    assert [each.resource.name for each in findings] == ["one", "two"]
    assert len({each.id for each in findings}) == 2


def test_an_explanation_calls_a_vpc_rule_by_its_name_and_a_policys_rule_by_its_number() -> None:
    raw = shop(database=vpc("allow", "tcp:5432", tags=["web"], target_tags=["db"]))
    raw.policy("guard", ["vpc"], policy_rule(50, "deny", "tcp:22"), *DEFAULT_POLICY_RULES)
    reach = Reachability(translate(snapshot_of(raw.answers)))
    passed = explain(reach, raw.own("web"), raw.own("db"), Traffic.parse("tcp/5432"))
    assert "global/firewalls/database" in {rule.label for step in passed.steps for rule in step.rules}
    stopped = explain(reach, raw.own("web"), raw.own("db"), Traffic.parse("tcp/22"))
    assert [(rule.label, rule.rule) for rule in stopped.blocked_by] == [("global/firewallPolicies/guard", "ingress/50")]
    assert "global/firewallPolicies/guard rule 50" in stopped.reason


def test_the_place_of_a_policy_and_of_a_part_of_a_group_is_not_shown() -> None:
    policy = "gcp:shop:locations/global/firewallPolicies/1"
    account = "gcp:shop:global/networks/vpc/serviceAccounts/web@shop.iam.gserviceaccount.com"
    for whole, place in ((policy, "@@global/networks/vpc"), (account, "@@sources")):
        assert unplaced(f"{whole}{place}") == whole
        assert own_id(f"{whole}{place}") == own_id(whole) == whole.removeprefix("gcp:shop:")
        assert shown_id(f"{whole}{place}") == shown_id(whole)


def test_a_policy_of_two_networks_is_one_resource() -> None:
    raw = shop()
    raw.network("far")
    raw.subnet("far", "away", "10.9.1.0/24")
    raw.vm("lonely", Card("away", "10.9.1.10"))
    rule = policy_rule(100, "allow", "tcp:22", sources=["0.0.0.0/0"])
    raw.policy("guard", ["vpc", "far"], rule, *DEFAULT_POLICY_RULES)
    findings = found(raw, *EXPOSURE)
    expected = ("internet-exposed-port", "global/firewallPolicies/guard", Severity.HIGH)
    assert shown(findings) == [expected]
    assert findings[0].affected == ("zones/us-central1-a/instances/web/nic0",)


@pytest.mark.semantics(240)
@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        (vpc("allow", "tcp:3389"), Severity.CRITICAL),
        (vpc("allow", "6:3389"), Severity.CRITICAL),
        (vpc("allow", "tcp"), Severity.CRITICAL),
        (vpc("allow", "all"), Severity.CRITICAL),
        (vpc("allow", "tcp:3300-3400"), Severity.CRITICAL),
        (vpc("allow", "tcp:3389", sources=["0.0.0.0/1", "128.0.0.0/1"]), Severity.CRITICAL),
        (vpc("allow", "tcp:22"), Severity.HIGH),
        (vpc("allow", "tcp:8080"), Severity.MEDIUM),
    ],
)
def test_every_way_to_write_a_port_and_everyone_counts(rule: Json, severity: Severity) -> None:
    (finding,) = found(shop(open=rule), "internet-exposed-port")
    assert finding.severity == severity
    assert "the whole IPv4 internet" in finding.message


@pytest.mark.semantics(240)
@pytest.mark.parametrize(
    "rule",
    [
        vpc("allow", "tcp:3389", disabled=True),
        vpc("deny", "tcp:3389"),
        vpc("allow", "tcp:3389", target_tags=["db"]),
        vpc("allow", "tcp:3389", target_accounts=["db@shop.iam.gserviceaccount.com"]),
        vpc("allow", "tcp:3389", sources=["::/0"]),
        vpc("allow", "tcp:3389", sources=["10.0.0.0/8"]),
        vpc("allow", "tcp:3389", egress=True),
    ],
)
def test_what_exposes_nobody_is_not_told_as_exposed(rule: Json) -> None:
    assert found(shop(rule=rule), "internet-exposed-port") == []


@pytest.mark.semantics(240)
@pytest.mark.parametrize(("priority", "exposed"), [(999, False), (1000, False), (1001, True)])
def test_a_denial_of_the_same_or_a_lower_number_closes_a_rule(priority: int, exposed: bool) -> None:  # noqa: FBT001
    raw = shop(open=vpc("allow", "tcp:22"), closed=vpc("deny", "tcp:22", priority=priority))
    assert bool(found(raw, "internet-exposed-port")) is exposed


@pytest.mark.semantics(241)
def test_target_tags_limit_who_is_reached_and_not_who_comes() -> None:
    (finding,) = found(shop(web=vpc("allow", "tcp:8080", target_tags=["web"])), *EXPOSURE)
    assert finding.check == "internet-exposed-port"
    assert "open to the whole IPv4 internet" in finding.message


@pytest.mark.semantics(242)
def test_a_rule_without_any_source_is_open_to_everyone() -> None:
    rule = vpc("allow", "tcp:22")
    del rule["sourceRanges"]
    (finding,) = found(shop(open=rule), "internet-exposed-port")
    assert "the whole IPv4 internet" in finding.message


@pytest.mark.semantics(243)
@pytest.mark.parametrize(
    ("action", "layer", "exposed"),
    [("deny", "tcp:22", False), ("goto_next", "tcp:22", True), ("deny", "tcp:3389", True), ("allow", "tcp:3389", True)],
)
def test_a_policy_above_decides_before_vpc_rules(action: str, layer: str, exposed: bool) -> None:  # noqa: FBT001
    raw = shop(ssh=vpc("allow", "tcp:22"))
    raw.above("vpc", [policy_rule(100, action, layer), policy_rule(200, "goto_next", "tcp:22"), *DEFAULT_POLICY_RULES])
    told = [each.resource.name for each in found(raw, "internet-exposed-port")]
    assert ("ssh" in told) is exposed


@pytest.mark.semantics(243)
@pytest.mark.parametrize(("before", "exposed"), [(None, True), (False, True), (True, False)])
def test_the_order_of_the_network_says_whether_its_policy_closes_a_vpc_rule(
    before: bool | None,  # noqa: FBT001
    exposed: bool,  # noqa: FBT001
) -> None:
    raw = shop(before=before, ssh=vpc("allow", "tcp:22"))
    raw.policy("guard", ["vpc"], policy_rule(100, "deny", "tcp:22"), *DEFAULT_POLICY_RULES)
    assert bool(found(raw, "internet-exposed-port")) is exposed


@pytest.mark.semantics(243)
def test_a_policy_that_allows_for_good_opens_what_vpc_rules_deny() -> None:
    raw = shop(closed=vpc("deny", "all", priority=1))
    raw.above("vpc", [policy_rule(100, "allow", "tcp:22", sources=["0.0.0.0/0"]), *DEFAULT_POLICY_RULES])
    (finding,) = found(raw, "internet-exposed-port")
    assert finding.resource.kind == "hierarchical-firewall-policy"
    assert finding.rule is not None
    assert finding.rule.id == "ingress/100"


@pytest.mark.semantics(243)
def test_rules_that_only_hand_on_are_no_openings() -> None:
    raw = shop()
    raw.above("vpc", list(DEFAULT_POLICY_RULES))
    raw.policy("guard", ["vpc"], policy_rule(100, "goto_next", "tcp:22"), *DEFAULT_POLICY_RULES)
    checks = (*EXPOSURE, "overbroad-ports", "undescribed-rule", "address-based-rule")
    assert [each for each in found(raw, *checks) if each.rule is not None] == []


@pytest.mark.semantics(244)
@pytest.mark.parametrize(
    "raw",
    [
        shop(rdp=vpc("allow", "tcp:3389", target_tags=["windows"])),
        shop(public="", rdp=vpc("allow", "tcp:3389")),
    ],
    ids=["a tag that nobody bears", "nobody with a public address"],
)
def test_what_nobody_is_reached_by_is_open_and_not_exposed(raw: Raw) -> None:
    (finding,) = found(raw, *EXPOSURE)
    assert shown([finding]) == [("latent-internet-rule", "global/firewalls/rdp", Severity.MEDIUM)]
    assert finding.reachable is False


@pytest.mark.semantics(245)
@pytest.mark.parametrize("ends", [{"tags": ["web"], "target_tags": ["db"]}, {"accounts": [ACCOUNT]}])
def test_tags_and_accounts_as_sources_are_no_public_ingress(ends: dict[str, list[str]]) -> None:
    assert found(shop(inner=vpc("allow", "tcp:22", **ends)), *EXPOSURE) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("ranges", [["35.235.240.0/20"], ["35.191.0.0/16", "130.211.0.0/22"]])
def test_ranges_of_googles_own_proxies_and_probes_are_not_the_internet(ranges: list[str]) -> None:
    assert found(shop(checks=vpc("allow", "tcp:22", sources=ranges)), *EXPOSURE) == []


@pytest.mark.parametrize(("port", "control"), [("22", "3.6"), ("3389", "3.7"), ("20-25", "3.6")])
def test_controls_of_the_benchmark_follow_from_the_port(port: str, control: str) -> None:
    (finding,) = found(shop(open=vpc("allow", f"tcp:{port}")), "internet-exposed-port")
    assert [each for each in finding.compliance if each.startswith("cis-gcp")] == [
        f"cis-gcp-3.0:{control}",
        f"cis-gcp-4.0:{control}",
    ]


@pytest.mark.semantics(137)
def test_network_tags_are_told_as_what_their_bearers_editors_can_set() -> None:
    raw = shop(
        source=vpc("allow", "tcp:5432", tags=["web"], target_tags=["db"]),
        mail=vpc("deny", "tcp:25", egress=True, target_tags=["db"]),
        target=vpc("allow", "tcp:443", target_tags=["web"]),
        account=vpc("allow", "tcp:5432", accounts=[ACCOUNT]),
    )
    told = {each.resource.name: each.severity for each in found(raw, "self-assignable-identity")}
    assert told == {"source": Severity.LOW, "mail": Severity.LOW, "target": Severity.INFO}


def test_the_replacement_of_a_range_is_an_account_and_never_a_network_tag() -> None:
    raw = shop(database=vpc("allow", "tcp:5432", sources=["10.2.1.0/24"], target_tags=["db"]))
    (finding,) = found(raw, "address-based-rule")
    assert finding.remedy is not None
    assert finding.remedy.groups == (f"global/networks/vpc/serviceAccounts/{ACCOUNT}",)
    assert any("no network tags: name its targets by service accounts" in text for text in finding.evidence)
    assert finding.affected == ("zones/us-central1-a/instances/db/nic0",)


def test_the_replacement_in_a_policy_is_a_secure_tag() -> None:
    raw = shop()
    secure_tag(raw, "7")
    raw.vm("app", Card("front", "10.2.1.11"), secure=["tagValues/7"])
    raw.policy("guard", ["vpc"], policy_rule(100, "allow", "tcp:5432", sources=["10.2.1.11/32"]), *DEFAULT_POLICY_RULES)
    raw.policy("named", [], policy_rule(100, "allow", "tcp:5432", secure=["tagValues/7"]))
    raw.policy("named-too", ["vpc"], policy_rule(90, "allow", "tcp:5433", secure=["tagValues/7"]))
    (finding,) = found(raw, "address-based-rule")
    assert finding.remedy is not None
    assert finding.remedy.groups == ("tagValues/7",)


def test_a_default_account_is_named_where_no_other_will_do() -> None:
    raw = shop(database=vpc("allow", "tcp:5432", sources=["10.2.1.0/24"]))
    raw.vm("made-unasked", Card("front", "10.2.1.20"), account=COMPUTE)
    (finding,) = found(raw, "address-based-rule")
    assert finding.remedy is not None
    accounts = [name.rpartition("/")[2] for name in finding.remedy.groups]
    assert accounts == [ACCOUNT, COMPUTE]
    assert any(text.startswith("the default group") and COMPUTE in text for text in finding.evidence)


def test_destinations_are_named_by_addresses_alone() -> None:
    rule = vpc("allow", "tcp:5432", egress=True, to=["10.2.2.0/24"], target_tags=["web"])
    assert found(shop(out=rule), "address-based-rule") == []


def test_a_rule_that_a_policy_above_decides_never_decides() -> None:
    raw = shop(ssh=vpc("allow", "tcp:22"), web=vpc("allow", "tcp:443"))
    raw.above("vpc", [policy_rule(100, "deny", "tcp:20-25"), *DEFAULT_POLICY_RULES])
    (finding,) = found(raw, "shadowed-rule")
    assert finding.resource.id == "global/firewalls/ssh"
    assert finding.severity == Severity.MEDIUM
    assert "all of it is denied by ingress/100 of locations/global/firewallPolicies/" in finding.message


def test_what_a_policy_above_hands_on_first_is_still_the_rules_to_decide() -> None:
    raw = shop(ssh=vpc("allow", "tcp:22", sources=["203.0.113.0/24"]))
    above = [policy_rule(90, "goto_next", "tcp:22", sources=["203.0.113.0/25"]), policy_rule(100, "deny", "tcp:22")]
    raw.above("vpc", above)
    assert found(raw, "shadowed-rule") == []


@pytest.mark.parametrize(("before", "idle"), [(False, "global/firewallPolicies/guard"), (True, "global/firewalls/all")])
def test_of_two_lists_the_later_one_is_idle(before: bool, idle: str) -> None:  # noqa: FBT001
    raw = shop(before=before, all=vpc("allow", "tcp:22", sources=["10.2.0.0/16"]))
    raw.policy("guard", ["vpc"], policy_rule(100, "deny", "tcp:22", sources=["10.2.0.0/16"]), *DEFAULT_POLICY_RULES)
    (finding,) = found(raw, "shadowed-rule")
    assert finding.resource.id == idle


def test_a_policy_is_idle_only_where_it_is_so_at_every_network() -> None:
    raw = shop(inside=vpc("allow", "tcp:22", sources=["10.2.0.0/16"]))
    raw.network("far")
    raw.subnet("far", "away", "10.9.1.0/24")
    rule = policy_rule(100, "deny", "tcp:22", sources=["10.2.0.0/16"])
    raw.policy("guard", ["vpc", "far"], rule, *DEFAULT_POLICY_RULES)
    assert found(raw, "shadowed-rule") == []


def test_of_rules_of_one_priority_the_narrower_is_idle_whatever_their_names() -> None:
    for narrow, wide in (("a-narrow", "z-wide"), ("z-narrow", "a-wide")):
        raw = shop()
        add_rule(raw, narrow, vpc("allow", "tcp:22", sources=["10.2.1.0/24"]))
        add_rule(raw, wide, vpc("allow", sources=["10.2.0.0/16"]))
        assert [each.resource.name for each in found(raw, "shadowed-rule")] == [narrow]


def test_rules_for_other_targets_take_nothing() -> None:
    raw = shop(
        closed=vpc("deny", "tcp:22", priority=900, target_tags=["db"]),
        open=vpc("allow", "tcp:22", sources=["10.2.0.0/16"], target_tags=["web"]),
    )
    assert found(raw, "shadowed-rule") == []


def test_the_implied_rule_lets_everything_out() -> None:
    (finding,) = found(shop(), "unrestricted-egress")
    assert finding.resource.id == "global/networks/vpc"
    assert "1 of 2 interfaces" in finding.message
    assert any("implied rules of vpc" in text for text in finding.evidence)


@pytest.mark.parametrize("before", [False, True])
def test_what_is_let_out_for_good_no_later_list_takes_back(before: bool) -> None:  # noqa: FBT001
    raw = shop(before=before, out=vpc("allow", egress=True, priority=10))
    raw.policy("guard", ["vpc"], policy_rule(100, "deny", egress=True, to=["0.0.0.0/0"]), *DEFAULT_POLICY_RULES)
    assert bool(found(raw, "unrestricted-egress")) is not before


def test_names_in_egress_rules_of_a_policy_are_a_filter() -> None:
    raw = shop()
    by_name = policy_rule(100, "allow", "tcp:443", egress=True, match={"destFqdns": ["api.example.com"]})
    raw.policy("guard", ["vpc"], by_name, policy_rule(200, "deny", egress=True, to=["0.0.0.0/0"]))
    assert found(raw, "unfiltered-internet-route", "unrestricted-egress") == []


def test_a_tag_that_only_rules_name_is_told_with_its_rule() -> None:
    raw = shop(app=vpc("allow", "tcp:8080", tags=["web"], target_tags=["app"]))
    (finding,) = found(raw, "unused-group")
    assert finding.resource.id == "global/networks/vpc/tags/app"
    assert "and global/firewalls/app names it" in finding.message


def test_a_secure_tag_that_was_deleted_leads_nowhere() -> None:
    raw = shop()
    rule = policy_rule(100, "allow", "tcp:443", secure=["!tagValues/7"])
    raw.policy("guard", ["vpc"], rule, *DEFAULT_POLICY_RULES)
    (finding,) = found(raw, "stale-group-reference")
    assert finding.resource.id == "global/firewallPolicies/guard"
    assert "the provider calls the reference stale" in finding.evidence


def test_ipv6_is_compared_with_ipv4_for_the_same_targets() -> None:
    six = vpc("allow", "tcp:22", sources=["::/0"], target_tags=["db"])
    other, same = (vpc("allow", "tcp:22", target_tags=[tag]) for tag in ("web", "db"))
    office = vpc("allow", "tcp:22", sources=["203.0.113.0/24"], target_tags=["db"])
    (finding,) = found(shop(six=six, other=other, office=office), "ipv6-wider-than-ipv4")
    assert finding.resource.name == "six"
    assert "IPv4 has 203.0.113.0/24" in finding.message
    assert found(shop(six=six, same=same), "ipv6-wider-than-ipv4") == []


def test_rules_that_admit_pairs_are_named_for_their_own_targets_alone() -> None:
    inside = vpc("allow", sources=["10.2.0.0/16"], target_tags=["web"])
    raw = shop(inside=inside, notebook=vpc("allow", "tcp:22", target_tags=["notebook"]))
    for number in range(6):
        raw.vm(f"vm-{number}", Card("front", f"10.2.1.{20 + number}"), tags=["web"])
    (finding,) = found(raw, "flat-network")
    assert any(text.startswith("global/firewalls/inside admits it for ") for text in finding.evidence)
    assert not any("notebook" in text for text in finding.evidence)


def test_the_network_that_came_with_the_project_has_its_own_control() -> None:
    raw = Raw()
    raw.network("default")
    (finding,) = found(raw, "default-network")
    assert finding.message.startswith("the default network global/networks/default exists")
    assert {each for each in finding.compliance if "cis-gcp" in each} == {"cis-gcp-3.0:3.1", "cis-gcp-4.0:3.1"}


def test_a_legacy_network_is_told_as_one() -> None:
    raw = Raw()
    raw.network("old")
    raw.item("old", "networks")["IPv4Range"] = "10.240.0.0/16"
    (finding,) = found(raw, "default-network")
    assert finding.message.startswith("the legacy network global/networks/old exists")
    assert {each for each in finding.compliance if "cis-gcp" in each} == {"cis-gcp-3.0:3.2", "cis-gcp-4.0:3.2"}


def test_the_stages_of_the_examples_are_those_of_the_translation() -> None:
    assert pipelines(1, 1)[RULES_FIRST] == GCP_PIPELINE
