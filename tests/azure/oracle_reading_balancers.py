"""Load balancers of a raw answer as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.azure.oracle_reading_parts import flag, number, part, parts, ref, refs, text
from tests.azure.oracle_records import Balancer, Forward, Front

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

__all__ = ["balancer"]


def balancer(item: Json) -> Balancer:
    """One load balancer with all its rules."""
    properties = part(item, "properties")
    fronts: list[Front] = []
    for each in parts(properties, "frontendIPConfigurations"):
        own = part(each, "properties")
        fronts.append(
            Front(ref(each), ref(part(own, "subnet")), ref(part(own, "publicIPAddress")), text(own, "privateIPAddress"))
        )
    rules = [_balance(each) for each in parts(properties, "loadBalancingRules")]
    rules += [_nat(each) for each in parts(properties, "inboundNatRules")]
    rules += [_outbound(each) for each in parts(properties, "outboundRules")]
    return Balancer(ref(item), text(part(item, "sku"), "name").lower() == "basic", fronts, rules)


def _balance(item: Json) -> Forward:
    own = part(item, "properties")
    pools = {ref(part(own, "backendAddressPool")), *refs(own, "backendAddressPools")} - {""}
    return Forward(
        kind="balance",
        fronts=[ref(part(own, "frontendIPConfiguration"))],
        to=sorted(pools),
        protocol=text(own, "protocol").lower(),
        front_port=number(own, "frontendPort"),
        back_port=number(own, "backendPort"),
        snat=flag(own, "disableOutboundSnat") is not True,
    )


def _nat(item: Json) -> Forward:
    own = part(item, "properties")
    return Forward(
        kind="nat",
        fronts=[ref(part(own, "frontendIPConfiguration"))],
        to=[ref(item)],
        protocol=text(own, "protocol").lower(),
        front_port=number(own, "frontendPort"),
        back_port=number(own, "backendPort"),
        snat=False,
    )


def _outbound(item: Json) -> Forward:
    own = part(item, "properties")
    return Forward(
        kind="outbound",
        fronts=refs(own, "frontendIPConfigurations"),
        to=[ref(part(own, "backendAddressPool"))],
        protocol=text(own, "protocol").lower(),
        front_port=0,
        back_port=0,
        snat=True,
    )
