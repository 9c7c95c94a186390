"""A shop in one account, written by hand: two web machines, an app machine, a database, and what is not fully read."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import Estate, Interface, ScopeRead, Service, Workload
from cloudseg.traffic import AddressSet

ID = EstateBuilder.id


@pytest.fixture
def builder() -> EstateBuilder:
    return EstateBuilder()


@pytest.fixture
def shop(builder: EstateBuilder) -> Estate:
    """Return the estate.

    ======== ============================== =========== ===================== ======================
    own id   tags                           groups      address               owner
    ======== ============================== =========== ===================== ======================
    eni-web1 (its machine's)                sg-web      10.0.1.11             i-web1: app=shop, tier=web
    eni-web2 tier=web                       sg-web      10.0.1.12             -
    eni-app  tier=app (its machine's: web)  sg-app      10.0.2.20, 2001:db8:: i-app: app=shop, tier=web
    eni-db   -                              sg-db       10.0.2.30             the service db: tier=data
    eni-odd  -                              (not read)  (not read)            i-gone, which was not read
    ======== ============================== =========== ===================== ======================
    """
    for own, name in (("sg-web", "web"), ("sg-app", "app"), ("sg-db", "db")):
        builder.group(own, name=name)
    for own, tags in (
        ("i-web1", {"application": "shop", "tier": "web"}),
        ("i-app", {"application": "shop", "tier": "web"}),
    ):
        builder.put("workloads", Workload(id=ID(own), kind="instance", name=own[2:], region="eu-west-1", tags=tags))
    builder.put(
        "services",
        Service(
            id=ID("arn:aws:rds:db"), kind="rds-instance", name="orders", region="eu-west-1", service="rds",
            public=False, tags={"tier": "data"}, interfaces=frozenset({ID("eni-db")}),
        ),
    )  # fmt: skip
    builder.interface("eni-web1", "subnet-public", ["sg-web"], "10.0.1.11", workload=ID("i-web1"))
    builder.interface("eni-web2", "subnet-public", ["sg-web"], "10.0.1.12", tags={"tier": "web"}, name="spare")
    builder.interface(
        "eni-app", "subnet-private", ["sg-app"], "10.0.2.20, 2001:db8::20", workload=ID("i-app"), tags={"tier": "app"},
        public="203.0.113.7", labels={"team": "checkout"},
    )  # fmt: skip
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.30", workload=ID("arn:aws:rds:db"))
    builder.put(
        "interfaces",
        Interface(
            id=ID("eni-odd"), kind="network-interface", region="eu-west-1", network=None, subnet=None,
            attached_unread=True, workload=ID("i-gone"), addresses=AddressSet.parse("none"),
        ),
    )  # fmt: skip
    estate = builder.build()
    named = msgspec.structs.replace(estate.scopes[0], name="shop-prod")
    assert isinstance(named, ScopeRead)
    return Estate.merged([estate, Estate(scopes=(named,))])


@pytest.fixture
def half_read() -> Estate:
    """Return two interfaces: one carries a group that was not read, one is in a network that was not read."""
    builder = EstateBuilder()
    builder.interface("eni-1", groups=["sg-other"])
    builder.put(
        "interfaces",
        Interface(id=ID("eni-2"), kind="network-interface", region="eu-west-1", network=ID("vpc-gone"), subnet=None),
    )
    return builder.build()
