"""Whether open connections outlive a rule: the table of the vendor's page on connection tracking."""

import pytest

from cloudseg.checks import internet_exposed_port
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.model import Entrance
from cloudseg.traffic import ALL_ADDRESSES, Traffic
from tests.reach.public_balancers import public_balancer

CUT = "removing the rule cuts open connections at once: they are not tracked"
KEPT = "open connections outlive the removal of the rule until they time out: they are tracked"


def evidence(b: EstateBuilder) -> tuple[str, ...]:
    (finding, *_) = run_audit(b.build(), AuditRequest(checks=(internet_exposed_port.CHECK,))).findings
    return finding.evidence


@pytest.mark.semantics(45, 48)
@pytest.mark.parametrize(
    ("ingress", "egress", "said"),
    [
        (("tcp/22", "0.0.0.0/0"), ("all", "0.0.0.0/0"), CUT),
        (("tcp/22", "0.0.0.0/0"), ("tcp", "0.0.0.0/0"), CUT),
        (("udp/53", "0.0.0.0/0"), ("tcp", "0.0.0.0/0"), KEPT),
        (("tcp/22", "0.0.0.0/0"), ("tcp/443", "0.0.0.0/0"), KEPT),
        (("tcp/22", "0.0.0.0/0"), ("all", "10.0.0.0/8"), KEPT),
        (("tcp/22", "198.51.100.0/24"), ("all", "0.0.0.0/0"), KEPT),
        (("icmp/8", "0.0.0.0/0"), ("all", "0.0.0.0/0"), KEPT),
        (("all", "0.0.0.0/0"), ("all", "0.0.0.0/0"), KEPT),
    ],
)
def test_only_flows_open_to_everyone_both_ways_end_with_the_rule(
    ingress: tuple[str, str], egress: tuple[str, str], said: str
) -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", *ingress), allow("egress", *egress))
    b.interface("eni-1", "subnet-public", ["sg-a"], "10.0.1.5", "203.0.113.10")
    assert said in evidence(b)


@pytest.mark.semantics(48)
def test_the_other_direction_may_be_opened_by_another_group_of_the_interface() -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.group("sg-out", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-public", ["sg-a", "sg-out"], "10.0.1.5", "203.0.113.10")
    assert CUT in evidence(b)
    b.interface("eni-2", "subnet-public", ["sg-a"], "10.0.1.6", "203.0.113.11")
    assert any("cuts some open connections" in text for text in evidence(b))


def behind(kind: str, *, public: bool = False) -> EstateBuilder:
    """``eni-app`` is open to everyone both ways, and an entrance of a kind leads to it; perhaps it is public, too."""
    b = EstateBuilder()
    both = (allow("ingress", "tcp/22", "0.0.0.0/0"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-app", *both)
    if public:
        b.interface("eni-app", "subnet-public", ["sg-app"], "10.0.1.50", "203.0.113.50")
    else:
        b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.50")
    b.put(
        "entrances",
        Entrance(
            id=EstateBuilder.id("entrance"),
            kind=kind,
            region="eu-west-1",
            targets=frozenset({EstateBuilder.id("eni-app")}),
            traffic=Traffic.parse("tcp/22"),
            clients=ALL_ADDRESSES,
            active=True,
        ),
    )
    return b


@pytest.mark.semantics(48)
def test_what_comes_through_a_network_load_balancer_is_tracked_whatever_the_rules_are() -> None:
    estate = public_balancer(admits="0.0.0.0/0").build()
    told = run_audit(estate, AuditRequest(checks=(internet_exposed_port.CHECK,))).findings
    # It is one connection at the load balancer's own interface and at the target.
    assert sorted((each.resource.id, KEPT in each.evidence, CUT in each.evidence) for each in told) == [
        ("sg-app", True, False),
        ("sg-lb", True, False),
    ]


@pytest.mark.semantics(48)
def test_so_is_what_comes_through_an_accelerator_and_nothing_else_that_stands_before() -> None:
    assert KEPT in evidence(behind("global-accelerator-endpoint-group"))
    assert CUT in evidence(behind("cloudfront-vpc-origin"))


@pytest.mark.semantics(48)
def test_of_two_ways_in_only_the_straight_one_is_cut() -> None:
    both = evidence(behind("global-accelerator-endpoint-group", public=True))
    assert any("cuts some open connections" in text for text in both)
