"""Reachability follows who belongs to a group: whoever joins it gets every grant that names it."""

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Attach
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import NO_TRAFFIC, Traffic


@pytest.mark.semantics(116)
def test_whoever_joins_a_group_gets_what_the_group_is_granted() -> None:
    builder = EstateBuilder()
    builder.group("sg-db", allow("ingress", "tcp/5432", "sg-app"))
    builder.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    builder.group("sg-other", allow("egress", "all", "0.0.0.0/0"))
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.5")
    builder.interface("eni-new", "subnet-private", ["sg-other"], "10.0.2.6")
    before = builder.build()
    ends = builder.id("eni-new"), builder.id("eni-db")
    assert Reachability(before).between(*ends).upper == NO_TRAFFIC
    after = before.with_edits([Attach(interface=builder.id("eni-new"), identity=builder.id("sg-app"))])
    assert Reachability(after).between(*ends).lower == Traffic.parse("tcp/5432")
