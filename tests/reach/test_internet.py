"""What the internet reaches by one rule: the cases in which other tools give the wrong answer."""

import pytest

from cloudseg.checks.example_estates import ACL_OPEN, AWS_PIPELINE, EstateBuilder, acl_entry, allow
from cloudseg.model import Rule
from cloudseg.reach.internet import Exposure, InternetView, joined
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet, Traffic


def exposure(b: EstateBuilder, group: str = "sg-1", interface: str = "eni-1") -> Exposure:
    """Return what all the rules of a group expose of an interface."""
    estate = b.build()
    view = InternetView(estate)
    rule_set = estate.rule_sets[b.id(group)]
    target = estate.interfaces[b.id(interface)]
    return joined(
        view.exposure(rule_set, rule, target) for rule in rule_set.rules if rule.direction == "ingress" and rule.allows
    )


def public(*rules: Rule) -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-1", *rules)
    b.interface("eni-1", "subnet-public", ["sg-1"], "10.0.1.5", "203.0.113.10")
    return b


@pytest.mark.semantics(201)
@pytest.mark.parametrize("traffic", ["tcp/22", "all"])
def test_two_halves_are_the_whole_internet(traffic: str) -> None:
    halves = exposure(public(allow("ingress", traffic, "0.0.0.0/1"), allow("ingress", traffic, "128.0.0.0/1")))
    whole = exposure(public(allow("ingress", traffic, "0.0.0.0/0")))
    assert (halves.certain, halves.sources) == (whole.certain, whole.sources)
    assert halves.sources >= GLOBAL_UNICAST & AddressSet.parse("0.0.0.0/0")


@pytest.mark.semantics(201, 129)
def test_two_halves_of_ipv6_are_the_whole_internet() -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "all", "::/1"), allow("ingress", "all", "8000::/1"))
    b.route("rtb-public", "::/0", "internet-gateway", "igw-1")
    b.interface("eni-1", "subnet-public", ["sg-1"], "10.0.1.5, 2600:1f18::5")
    b.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 1, "all", "::/0"), acl_entry("egress", 1, "all", "::/0")))
    assert exposure(b).sources >= GLOBAL_UNICAST & AddressSet.parse("::/0")


@pytest.mark.semantics(202)
@pytest.mark.parametrize(
    ("prefix", "verdict"), [("0.0.0.0/0", "exposed"), ("10.20.0.0/16", "latent")], ids=["everyone", "corporate"]
)
def test_a_prefix_list_is_what_it_holds(prefix: str, verdict: str) -> None:
    b = public(allow("ingress", "tcp/22", "pl-1"))
    b.prefix_list("pl-1", prefix)
    assert exposure(b).verdict == verdict


@pytest.mark.semantics(20, 202)
def test_an_unread_prefix_list_may_be_everyone() -> None:
    b = public(allow("ingress", "tcp/22", "pl-1"))
    b.prefix_list("pl-1", read=False)
    found = exposure(b)
    assert found.verdict == "unknown"
    assert found.at_most == Traffic.parse("tcp/22")
    assert found.unknown


@pytest.mark.semantics(203)
@pytest.mark.parametrize("traffic", ["tcp/1-65535", "tcp/0-65534", "esp", "gre", "ipip"])
def test_nearly_all_ports_and_protocols_without_ports_are_exposed(traffic: str) -> None:
    assert exposure(public(allow("ingress", traffic, "0.0.0.0/0"))).certain == Traffic.parse(traffic)


@pytest.mark.semantics(18, 204)
@pytest.mark.parametrize("traffic", ["icmp/8", "udp/22"])
def test_an_echo_and_udp_are_not_ssh(traffic: str) -> None:
    found = exposure(public(allow("ingress", traffic, "0.0.0.0/0")))
    assert found.certain == Traffic.parse(traffic)
    assert not found.at_most.overlaps(Traffic.parse("tcp/0-65535"))


@pytest.mark.semantics(205, 211)
def test_a_self_rule_beside_an_open_rule_does_not_excuse_it() -> None:
    rules = (allow("ingress", "all", "sg-1"), allow("ingress", "tcp/22", "0.0.0.0/0"))
    assert exposure(public(*rules)).certain == Traffic.parse("tcp/22")


@pytest.mark.semantics(208, 33)
def test_an_open_rule_without_a_path_is_latent_and_says_why() -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-1"], "10.0.2.5")
    found = exposure(b)
    assert found.verdict == "latent"
    assert "no public address" in found.blocked


@pytest.mark.semantics(23, 209)
def test_a_deny_above_the_allow_closes_and_one_below_does_not() -> None:
    b = public(allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 90, "tcp/22", "0.0.0.0/0", deny=True), *ACL_OPEN))
    closed = exposure(b)
    assert closed.verdict == "latent"
    assert closed.blocked == ("stopped by acl-1",)
    b.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 110, "tcp/22", "0.0.0.0/0", deny=True), *ACL_OPEN))
    assert exposure(b).verdict == "exposed"


@pytest.mark.semantics(209)
def test_allows_split_in_two_halves_with_every_port_are_still_open() -> None:
    b = public(allow("ingress", "tcp/22", "0.0.0.0/0"))
    halves = (acl_entry("ingress", n, "tcp/0-65535", cidr) for n, cidr in ((1, "0.0.0.0/1"), (2, "128.0.0.0/1")))
    b.acl("acl-1", ["subnet-public"], (*halves, acl_entry("egress", 1, "all", "0.0.0.0/0")))
    assert exposure(b).certain == Traffic.parse("tcp/22")


@pytest.mark.semantics(24)
def test_without_a_way_back_through_the_acl_nothing_is_delivered() -> None:
    b = public(allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 1, "all", "0.0.0.0/0"),))
    assert exposure(b).verdict == "latent"


@pytest.mark.semantics(25)
def test_a_way_back_for_some_client_ports_is_not_certain() -> None:
    b = public(allow("ingress", "tcp/22", "0.0.0.0/0"))
    back = acl_entry("egress", 1, "tcp/49152-65535", "0.0.0.0/0")
    b.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 1, "all", "0.0.0.0/0"), back))
    found = exposure(b)
    assert found.verdict == "unknown"
    assert found.unknown == ("only some reply ports pass the network acls",)


@pytest.mark.semantics(2)
def test_a_group_without_egress_rules_still_answers() -> None:
    assert exposure(public(allow("ingress", "tcp/22", "0.0.0.0/0"))).verdict == "exposed"


@pytest.mark.semantics(26)
def test_acls_stand_at_the_boundary_of_the_subnet_and_outside_the_groups() -> None:
    assert [(stage.name, stage.at) for stage in AWS_PIPELINE.ingress] == [
        ("network-acls", "subnet-boundary"),
        ("security-groups", "interface"),
    ]
    assert [stage.name for stage in AWS_PIPELINE.egress] == ["security-groups", "network-acls"]


@pytest.mark.semantics(28, 29)
def test_acls_that_were_not_read_leave_the_exposure_open() -> None:
    b = EstateBuilder(unread=["boundary-rules"])
    b.group("sg-1", allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.acl("acl-1", (), ())
    b.interface("eni-1", "subnet-public", ["sg-1"], "10.0.1.5", "203.0.113.10")
    found = exposure(b)
    assert found.verdict == "unknown"
    assert found.unknown == ("the network acls were not read",)


@pytest.mark.semantics(44)
def test_the_interface_decides_and_not_its_instance() -> None:
    b = public(allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.interface("eni-2", "subnet-private", ["sg-1"], "10.0.2.5", workload=b.id("i-1"))
    b.interface("eni-1", "subnet-public", ["sg-1"], "10.0.1.5", "203.0.113.10", workload=b.id("i-1"))
    assert exposure(b, interface="eni-1").verdict == "exposed"
    assert exposure(b, interface="eni-2").verdict == "latent"


@pytest.mark.semantics(215)
def test_a_wide_range_is_neither_everyone_nor_missed() -> None:
    found = exposure(public(allow("ingress", "tcp/22", "8.0.0.0/8")))
    assert found.sources == AddressSet.parse("8.0.0.0/8")


@pytest.mark.semantics(214)
def test_egress_rules_expose_nothing() -> None:
    assert exposure(public(allow("egress", "all", "0.0.0.0/0"))).verdict == "latent"
