"""Whether a group that is attached to an interface stays there."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_nsgs import NsgBuilder
from cloudseg.model import Estate, Interface, Workload
from cloudseg.remediations.membership import lasting


def _aws(
    tags: dict[str, str] | None = None,
    kind: str = "instance",
    **more: Any,
) -> tuple[Estate, Interface]:
    b = EstateBuilder()
    b.group("sg-app")
    b.put("workloads", Workload(id=b.id("i-app"), kind=kind, name="app", region="eu-west-1", tags=tags or {}))
    b.interface("eni-app", "subnet-private", ["sg-app"], workload=b.id("i-app"), **more)
    estate = b.build()
    return estate, estate.interfaces[b.id("eni-app")]


def test_a_group_of_an_instance_that_people_started_stays() -> None:
    estate, interface = _aws()

    assert lasting(interface, estate).stays


@pytest.mark.parametrize(
    ("tag", "setting"),
    [
        ("aws:autoscaling:groupName", "the launch template of the auto scaling group web"),
        ("aws:ec2launchtemplate:id", "the launch template web"),
        ("aws:cloudformation:stack-name", "the template of the CloudFormation stack web"),
    ],
)
def test_what_is_made_from_a_template_gets_its_groups_from_there(tag: str, setting: str) -> None:
    estate, interface = _aws({tag: "web"})

    found = lasting(interface, estate)
    assert (found.stays, found.setting) == (False, setting)
    assert found.moves is (tag == "aws:autoscaling:groupName")


def test_interfaces_of_services_get_their_groups_from_the_setting_of_the_service() -> None:
    estate, managed = _aws(managed_by="amazon-rds")
    assert lasting(managed, estate) == (False, "the setting of i-app (app), whose interface amazon-rds keeps", False)

    estate, derived = _aws(derived=True)
    assert lasting(derived, estate) == (False, "the setting of i-app (app), which makes its interfaces", False)

    estate, function = _aws(role="lambda")
    assert lasting(function, estate) == (False, "the setting of i-app (app) (lambda)", False)


def test_machines_of_a_scale_set_get_their_groups_from_its_model() -> None:
    b = NsgBuilder()
    b.machine("nic-web", "web", "10.1.1.10")
    estate = b.build()
    (interface,) = estate.interfaces.values()
    assert lasting(interface, estate).stays

    owner = Workload(id=b.id("vmss-web"), kind="scale-set", name="web")
    scaled = dataclasses.replace(estate, workloads={owner.id: owner})
    found = lasting(msgspec.structs.replace(interface, workload=owner.id), scaled)

    assert not found.stays
    assert found.setting.startswith("the model of the scale set")


def test_pods_get_their_labels_from_the_pod_template() -> None:
    b = ClusterBuilder("live", live=True)
    b.workload("shop", "web")
    estate = b.build()
    (pod,) = estate.interfaces.values()

    assert lasting(pod, estate) == (False, "the pod template of shop/web[Deployment]", True)
