"""Scale sets: their interfaces, and what the next instance would bear.

Source: https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-networking
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks import unused_group
from cloudseg.checks.interface import AuditContext
from cloudseg.cli.sources import translate
from cloudseg.reach.internet import InternetView
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_gateways import scale_set

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from tests.azure.oracle_records import Json


def estate_of(*, nsg: str = "", asgs: tuple[str, ...] = (), instances: int = 0) -> Estate:
    raw = Raw()
    raw.nsg("nsg-web")
    raw.asg("asg-web")
    raw.asg("asg-old")
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24")
    own = scale_set(raw, "web", nsg=nsg, asgs=asgs)
    for number in range(instances):
        machine = f"{own}/virtualMachines/{number}"
        properties = {"primary": True, "privateIPAddress": f"10.1.1.{number + 4}", "subnet": raw.ref("s1")}
        interface: Json = {
            "id": f"{machine}/networkInterfaces/nic",
            "name": f"nic-{number}",
            "properties": {
                "primary": True,
                "virtualMachine": {"id": machine},
                "ipConfigurations": [{"name": "first", "properties": properties}],
            },
        }
        raw.listed(SUBSCRIPTION, "virtual_machine_scale_set_network_interfaces", own).append(interface)
    raw.answers.setdefault((SUBSCRIPTION, "network", "network_interfaces"), {"value": []})
    raw.answers.setdefault((SUBSCRIPTION, "network", "public_ip_addresses"), {"value": []})
    raw.answers.setdefault(
        (SUBSCRIPTION, "network", "virtual_machine_scale_set_network_interfaces", own), {"value": []}
    )
    return translate(snapshot_of(raw.answers))


def test_its_interfaces_belong_to_it_and_name_their_machine() -> None:
    estate = estate_of(instances=2)
    found = [each for _, each in sorted(estate.interfaces.items())]
    assert {each.workload for each in found} == {next(each.id for each in estate.workloads.values())}
    assert [min(each.machines).rpartition("/")[2] for each in found] == ["0", "1"]
    assert [str(each.primary) for each in found] == ["10.1.1.4", "10.1.1.5"]


def test_the_groups_of_its_model_are_those_that_the_next_instance_bears() -> None:
    estate = estate_of(nsg="nsg-web", asgs=("asg-web",))
    (template,) = estate.templates.values()
    assert sorted(name.rpartition("/")[2] for name in template.groups) == ["asg-web", "nsg-web"]
    assert template.together == frozenset((template.groups,))


def test_a_model_without_groups_holds_none() -> None:
    assert not estate_of().templates


def test_groups_that_the_next_instance_bears_are_not_unused() -> None:
    estate = estate_of(nsg="nsg-web", asgs=("asg-web",))
    context = AuditContext(estate=estate, check=unused_group.CHECK, settings={}, internet=InternetView(estate))
    told = [finding.resource.name for finding in unused_group.CHECK.run(context)]
    assert told == ["asg-old"]
