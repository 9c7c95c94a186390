"""What comes by way of load balancers that no tag puts anywhere, in the checks of tiers and environments."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from cloudseg.checks import cross_environment_path, tier_skip
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.findings import Finding
from cloudseg.model import ANY_ZONE, Estate, Forward, Forwarder, ForwardTarget, Workload
from cloudseg.traffic import AddressSet, Traffic

Findings = Callable[..., list[Finding]]

DEV = {"env": "dev"}
PROD = {"env": "prod"}
SERVED = Traffic.parse("tcp/5432")


def balancer(b: EstateBuilder, own: str, address: str, *forwards: Forward, complete: bool = True, **tags: str) -> None:
    """An internal load balancer with one node, which anybody in the network may reach on the port of a database."""
    b.group(f"sg-{own}", allow("ingress", "tcp/5432", "10.0.0.0/16"), allow("egress", "all", "0.0.0.0/0"))
    b.interface(f"eni-{own}", groups=[f"sg-{own}"], address=address, workload=b.id(own), tags=tags)
    b.put("workloads", Workload(id=b.id(own), kind="load-balancer", network=b.id("vpc-1")))
    b.put(
        "forwarders",
        Forwarder(id=b.id(own), kind="load-balancer", accepts=SERVED, forwards=forwards, complete=complete),
    )


def to(
    *targets: str,
    keeps_client: bool | None = False,
    listens: str = "tcp/5432",
    sends: str = "tcp/5432",
    healthy: bool | None = True,
) -> Forward:
    return Forward(
        name="targets",
        listens=Traffic.parse(listens),
        traffic=Traffic.parse(sends),
        keeps_client=keeps_client,
        cross_zone=True,
        targets=tuple(ForwardTarget(target=EstateBuilder.id(name), zone=ANY_ZONE, healthy=healthy) for name in targets),
    )


def by_one(
    *forwards: Forward,
    web: Mapping[str, str] = DEV,
    db: Mapping[str, str] = PROD,
    complete: bool = True,
    **tags: str,
) -> EstateBuilder:
    """A web server, and a database that admits a load balancer alone."""
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-lb"))
    b.interface("eni-web", groups=["sg-web"], address="10.0.2.10", tags=dict(web))
    b.interface("eni-db", groups=["sg-db"], address="10.0.2.20", tags=dict(db))
    balancer(b, "lb", "10.0.2.30", *(forwards or (to("eni-db"),)), complete=complete, **tags)
    return b


def words(found: list[Finding]) -> Iterator[tuple[str, str]]:
    for finding in found:
        yield finding.message.partition(": ")[2], finding.confidence


CERTAIN = ("tcp/5432 by way of the load balancer lb", "high")
AT_MOST = ("at most tcp/5432 by way of the load balancer lb", "low")


@pytest.mark.parametrize(
    ("estate", "expected"),
    [
        (by_one().build(), [CERTAIN]),
        # Its targets see the clients' addresses, and rules may tell one from the other.
        (by_one(to("eni-db", keeps_client=True)).build(), [AT_MOST]),
        (by_one(to("eni-db", keeps_client=None)).build(), [AT_MOST]),
        # It takes the clients' connections on another port than those that it hands on to the database.
        (by_one(to("eni-db", listens="tcp/443")).build(), []),
        # To a target that is not healthy it sends where no other one is left.
        (by_one(to("eni-db", healthy=False)).build(), [AT_MOST]),
        (by_one(to("eni-db", healthy=None)).build(), [AT_MOST]),
        # The target is healthy for another listener, which nobody here reaches.
        (by_one(to("eni-db", healthy=False), to("eni-db", listens="tcp/443")).build(), [AT_MOST]),
        (by_one(to("eni-db", healthy=False), to("eni-db")).build(), [CERTAIN]),
        (by_one(to("eni-web")).build(), []),
        (by_one(to("eni-web"), complete=False).build(), [AT_MOST]),
        (by_one(db=DEV).build(), []),
        (by_one(env="shared").build(), []),
    ],
)
def test_a_path_between_environments_leads_over_a_load_balancer_without_a_tag(
    findings: Findings, estate: Estate, expected: list[tuple[str, str]]
) -> None:
    assert list(words(findings(cross_environment_path.CHECK, estate))) == expected


def test_a_load_balancer_with_a_tag_is_an_end_of_its_own(findings: Findings) -> None:
    (found,) = findings(cross_environment_path.CHECK, by_one(env="prod").build())
    assert found.affected == ("eni-lb",)


def test_the_finding_names_the_targets_and_says_by_what_they_are_reached(findings: Findings) -> None:
    (found,) = findings(cross_environment_path.CHECK, by_one().build())
    assert found.message.startswith("dev in vpc-1 reaches production in vpc-1: ")
    assert (found.affected, found.reachable, found.severity.name) == (("eni-db",), True, "HIGH")
    assert found.evidence == (
        "1 client, such as eni-web",
        "1 target, such as eni-db",
        "eni-web reaches the load balancer lb, which hands connections on to eni-db",
        "no tag says where the load balancer lb belongs",
    )


def test_two_load_balancers_behind_each_other_are_followed(findings: Findings) -> None:
    b = by_one(to("eni-second"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-second"))
    balancer(b, "second", "10.0.2.31", to("eni-db"))
    found = list(words(findings(cross_environment_path.CHECK, b.build())))
    # The web server reaches the second one by itself, too.
    assert found == [
        ("tcp/5432 by way of the load balancers lb and second", "high"),
        ("tcp/5432 by way of the load balancer second", "high"),
    ]


def test_a_target_is_found_by_its_address(findings: Findings) -> None:
    target = ForwardTarget(
        address=AddressSet.parse("10.0.2.20"), network=EstateBuilder.id("vpc-1"), zone=ANY_ZONE, healthy=True
    )
    forward = Forward(
        name="targets", listens=SERVED, traffic=SERVED, keeps_client=False, cross_zone=True, targets=(target,)
    )
    assert list(words(findings(cross_environment_path.CHECK, by_one(forward).build()))) == [CERTAIN]


@pytest.mark.parametrize(("between", "expected"), [(True, [CERTAIN]), (False, [])])
def test_a_tier_is_jumped_over_by_way_of_a_load_balancer_without_a_tier(
    findings: Findings, *, between: bool, expected: list[tuple[str, str]]
) -> None:
    b = by_one(web={"application": "shop", "tier": "web"}, db={"application": "shop", "tier": "db"})
    if between:
        b.group("sg-app")
        b.interface("eni-app", groups=["sg-app"], address="10.0.2.40", tags={"application": "shop", "tier": "app"})
    assert list(words(findings(tier_skip.CHECK, b.build()))) == expected
