"""A load balancer of packets that faces the internet, with one target in a private subnet."""

from __future__ import annotations

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Entrance
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic
from tests.reach.balancers import balancer, forward, target

__all__ = ["CLIENT", "LISTENS", "SENT", "public_balancer"]

q = EstateBuilder.id
CLIENT = "198.51.100.7"
LISTENS, SENT = "tcp/443", "tcp/22"


def public_balancer(
    *,
    admits: str = "198.51.100.0/24",
    lb_admits: str = "0.0.0.0/0",
    keeps_client: bool | None = True,
    healthy: bool | None = True,
    nodes_read: bool = True,
) -> EstateBuilder:
    """``node`` (10.0.1.9, 203.0.113.9, group sg-lb) takes tcp/443 and hands it to ``eni-app`` (10.0.2.50) as tcp/22.

    Args:
        admits: whom the group ``sg-app`` of the target admits, a range or a group.
        lb_admits: whom the load balancer's group admits.
        keeps_client: the target sees the client's address.
        healthy: the target is.
        nodes_read: the load balancer's interface is listed.
    """
    builder = EstateBuilder()
    everything = allow("egress", "all", "0.0.0.0/0")
    builder.group("sg-lb", allow("ingress", LISTENS, lb_admits), everything)
    builder.group("sg-app", allow("ingress", SENT, admits), everything)
    if nodes_read:
        builder.interface("node", "subnet-public", ["sg-lb"], "10.0.1.9", "203.0.113.9", workload=q("lb"))
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.50")
    sent = forward(target(healthy=healthy), traffic=SENT, keeps_client=keeps_client)
    balancer(builder, sent, zones=None)
    builder.put(
        "entrances",
        Entrance(
            id=q("tg"),
            kind="target-group",
            region="eu-west-1",
            targets=frozenset({q("eni-app")}),
            traffic=Traffic.parse(SENT),
            clients=AddressSet.parse("10.0.1.9") if keeps_client is False else ALL_ADDRESSES,
            through=frozenset({q("lb")}),
            listens=Traffic.parse(LISTENS),
            active=None if keeps_client is None else True,
        ),
    )
    return builder
