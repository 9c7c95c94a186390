"""Bastion hosts: what they take, what they open, and what their subnet cannot do without.

Sources: https://learn.microsoft.com/azure/bastion/bastion-nsg and
https://learn.microsoft.com/azure/bastion/bastion-sku-comparison
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.cli.sources import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw
from tests.azure.raw_gateways import bastion
from tests.azure.raw_parts import rule

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface
    from tests.azure.oracle_records import Json

OUTSIDE = AddressSet.parse("8.8.8.8")
NEEDED = (
    rule(120, "Allow", "Internet", "*", "443", protocol="Tcp", name="https"),
    rule(130, "Allow", "GatewayManager", "*", "443", protocol="Tcp", name="management"),
    rule(140, "Allow", "AzureLoadBalancer", "*", "443", protocol="Tcp", name="probes"),
    rule(150, "Allow", "VirtualNetwork", "VirtualNetwork", ["8080", "5701"], name="between"),
)


def estate_of(
    *rules: Json, sku: str = "Basic", public: bool = True, vm_rules: tuple[Json, ...] | None = None
) -> Estate:
    """``bast`` in AzureBastionSubnet, ``vm`` (10.1.1.4) in its network, and ``far`` (10.2.1.4) in a peer."""
    raw = Raw()
    if rules:
        raw.nsg("nsg-bastion", *rules)
    if vm_rules is not None:
        raw.nsg("nsg-vm", *vm_rules)
    raw.public("pip", "20.50.0.20")
    raw.vnet("v1", "10.1.0.0/16")
    raw.vnet("v2", "10.2.0.0/16")
    raw.subnet("v1", "AzureBastionSubnet", "10.1.8.0/26", nsg="nsg-bastion" if rules else "")
    raw.subnet("v1", "s-vm", "10.1.1.0/24", nsg="" if vm_rules is None else "nsg-vm")
    raw.subnet("v2", "s-far", "10.2.1.0/24")
    raw.peering("v1", "v2")
    raw.peering("v2", "v1")
    raw.nic("vm", "s-vm", "10.1.1.4")
    raw.nic("far", "s-far", "10.2.1.4")
    bastion(raw, "bast", "AzureBastionSubnet", public="pip" if public else "", sku=sku)
    return translate(snapshot_of(raw.answers))


def host(estate: Estate) -> Interface:
    (found,) = (each for each in estate.interfaces.values() if each.role == "bastion")
    return found


def passes(estate: Estate, source: str, target: str, traffic: str) -> str:
    """``surely``, ``at most`` or ``no``, between short names; ``bast`` is the bastion host."""
    names = {each.name: name for name, each in estate.interfaces.items()}
    start = names[source] if source in names else AddressSet.parse(source)
    found, asked = Reachability(estate).between(start, names[target]), Traffic.parse(traffic)
    if found.lower >= asked:
        return "surely"
    return "at most" if found.upper >= asked else "no"


def test_it_has_one_interface_in_its_subnet_with_its_public_address() -> None:
    found = host(estate_of())
    assert found.derived
    assert found.subnet is not None
    assert found.subnet.endswith("/subnets/azurebastionsubnet")
    assert found.public == AddressSet.parse("20.50.0.20")


@pytest.mark.parametrize(
    ("sku", "target", "traffic", "verdict"),
    [
        ("Basic", "vm", "tcp/22", "surely"),
        ("Basic", "vm", "tcp/3389", "surely"),
        ("Basic", "far", "tcp/22", "surely"),
        ("Basic", "vm", "tcp/2222", "no"),
        ("Basic", "vm", "udp/53", "no"),
        # "Specify custom inbound port" comes with Standard.
        ("Standard", "vm", "tcp/2222", "surely"),
        ("Premium", "vm", "tcp/2222", "surely"),
        ("Standard", "vm", "udp/53", "no"),
    ],
)
def test_what_it_opens_to_machines(sku: str, target: str, traffic: str, verdict: str) -> None:
    assert passes(estate_of(sku=sku), "bast", target, traffic) == verdict


def test_the_nsg_of_a_machine_decides_about_it_as_about_others() -> None:
    from_bastion = rule(100, "Allow", "10.1.8.0/26", "*", ["22", "3389"], protocol="Tcp")
    closed = rule(200, "Deny", "*", "*", "*")
    assert passes(estate_of(vm_rules=(from_bastion, closed)), "bast", "vm", "tcp/22") == "surely"
    assert passes(estate_of(vm_rules=(closed,)), "bast", "vm", "tcp/22") == "no"


@pytest.mark.parametrize(("traffic", "verdict"), [("tcp/443", "surely"), ("tcp/22", "no"), ("tcp/3389", "no")])
def test_browsers_come_in_at_port_443(traffic: str, verdict: str) -> None:
    """Ports 22 and 3389 need not be open at AzureBastionSubnet."""
    assert passes(estate_of(*NEEDED), "8.8.8.8", "bast", traffic) == verdict


def test_without_an_nsg_its_public_address_is_open_at_port_443() -> None:
    """No NSG is needed at AzureBastionSubnet."""
    found = estate_of()
    assert passes(found, "8.8.8.8", "bast", "tcp/443") == "surely"
    assert passes(found, "8.8.8.8", "bast", "tcp/22") == "at most"


def test_one_without_a_public_address_is_not_open_to_the_internet() -> None:
    assert passes(estate_of(public=False, sku="Premium"), "8.8.8.8", "bast", "tcp/443") == "no"


@pytest.mark.semantics(133)
def test_the_rule_for_its_management_is_required() -> None:
    rules = next(each for each in estate_of(*NEEDED).rule_sets.values() if each.name == "nsg-bastion").rules
    assert {each.id for each in rules if each.required} == {"inbound/management"}


def test_one_of_the_developer_sku_stands_in_no_subnet_and_is_noted() -> None:
    raw = Raw()
    raw.vnet("v1", "10.1.0.0/16")
    raw.add("bast", "bastionHosts", "bastion_hosts", {"virtualNetwork": raw.ref("v1")}, sku="Developer")
    estate = translate(snapshot_of(raw.answers))
    assert not estate.interfaces
    (workload,) = estate.workloads.values()
    assert workload.network in estate.networks
    assert any("168.63.129.16" in note and "not followed" in note for note in estate.notes)
