from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
NETWORK = {"awsvpcConfiguration": {"securityGroups": ["sg-1"]}}
RULE = "arn:aws:events:eu-west-1:111122223333:rule/nightly"


@pytest.mark.semantics(216)
@pytest.mark.parametrize(
    ("operation", "answer", "kind"),
    [
        (
            "ec2.describe_launch_template_versions",
            [{"LaunchTemplateId": "lt-1", "LaunchTemplateData": {"SecurityGroupIds": ["sg-1"]}}],
            "launch-template",
        ),
        (
            "ec2.describe_launch_template_versions",
            [{"LaunchTemplateId": "lt-1", "LaunchTemplateData": {"NetworkInterfaces": [{"Groups": ["sg-1"]}]}}],
            "launch-template",
        ),
        (
            "ec2.describe_launch_template_versions",
            [{"LaunchTemplateId": "lt-1", "LaunchTemplateData": {"SecurityGroups": ["data"]}}],
            "launch-template",
        ),
        (
            "autoscaling.describe_launch_configurations",
            [{"LaunchConfigurationName": "lc", "SecurityGroups": ["sg-1"]}],
            "launch-configuration",
        ),
        (
            "batch.describe_compute_environments",
            [{"computeEnvironmentArn": "arn:b", "computeResources": {"securityGroupIds": ["sg-1"]}}],
            "batch-compute-environment",
        ),
        (
            "codebuild.batch_get_projects",
            [{"arn": "arn:c", "name": "p", "vpcConfig": {"securityGroupIds": ["sg-1"]}}],
            "codebuild-project",
        ),
        ("ecs.describe_services#c", [{"serviceArn": "arn:s", "networkConfiguration": NETWORK}], "ecs-service"),
        (
            "ecs.describe_services#c",
            [{"serviceArn": "arn:s", "deployments": [{"networkConfiguration": NETWORK}]}],
            "ecs-service",
        ),
        (
            f"events.list_targets_by_rule#{RULE}",
            [
                {"Id": "queue", "Arn": "arn:sqs"},
                {
                    "Id": "t",
                    "EcsParameters": {
                        "NetworkConfiguration": {"awsvpcConfiguration": {"SecurityGroups": ["sg-1"]}}
                    },
                },
            ],
            "event-rule-target",
        ),
        (
            "lambda.list_functions",
            [{"FunctionName": "f", "VpcConfig": {"VpcId": "vpc-1", "SecurityGroupIds": ["sg-1"]}}],
            "lambda-function",
        ),
        (
            "rds.describe_db_instances",
            [{"DBInstanceIdentifier": "d", "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}]}],
            "rds-instance",
        ),
    ],
)  # fmt: skip
def test_a_setting_that_would_attach_a_group_uses_it(
    translated: Translate, operation: str, answer: object, kind: str
) -> None:
    estate = translated({operation: answer})
    assert estate.gaps == ()
    (template,) = estate.templates.values()
    assert (template.kind, template.groups) == (kind, {f"{HERE}:sg-1"})


@pytest.mark.semantics(125, 216)
@pytest.mark.parametrize(
    ("operation", "answer", "kind"),
    [
        (
            "vpc-lattice.get_service_network_vpc_association#snva-1",
            {"id": "snva-1", "securityGroupIds": ["sg-1"]},
            "lattice-vpc-association",
        ),
        (
            "vpc-lattice.list_resource_gateways",
            [{"id": "rgw-1", "name": "g", "securityGroupIds": ["sg-1"]}],
            "lattice-resource-gateway",
        ),
    ],
)
def test_lattice_attaches_groups_too(translated: Translate, operation: str, answer: object, kind: str) -> None:
    (template,) = translated({operation: answer}).templates.values()
    assert (template.kind, template.groups) == (kind, {f"{HERE}:sg-1"})


def test_the_default_and_the_latest_version_count_together(translated: Translate) -> None:
    versions = [
        {"LaunchTemplateId": "lt-1", "VersionNumber": n, "LaunchTemplateData": {"SecurityGroupIds": [f"sg-{n}"]}}
        for n in (1, 2)
    ]
    (template,) = translated({"ec2.describe_launch_template_versions": versions}).templates.values()
    assert template.groups == {f"{HERE}:sg-1", f"{HERE}:sg-2"}
    assert template.companies == {frozenset((f"{HERE}:sg-1",)), frozenset((f"{HERE}:sg-2",))}


def test_each_interface_of_a_template_gets_its_own_groups(translated: Translate) -> None:
    interfaces = [{"DeviceIndex": 0, "Groups": ["sg-1", "sg-2"]}, {"DeviceIndex": 1, "Groups": ["sg-3"]}]
    version = {"LaunchTemplateId": "lt-1", "LaunchTemplateData": {"NetworkInterfaces": interfaces}}
    (template,) = translated({"ec2.describe_launch_template_versions": [version]}).templates.values()
    assert template.companies == {frozenset((f"{HERE}:sg-1", f"{HERE}:sg-2")), frozenset((f"{HERE}:sg-3",))}


def test_a_deleted_service_and_settings_without_groups_use_none(translated: Translate) -> None:
    answers: dict[str, Any] = {
        "ecs.describe_services#c": [
            {"serviceArn": "arn:gone", "status": "INACTIVE", "networkConfiguration": NETWORK},
            {"serviceArn": "arn:bridge", "status": "ACTIVE"},
        ],
        "codebuild.batch_get_projects": [{"arn": "arn:c", "vpcConfig": {}}],
    }
    assert translated(answers).templates == {}


def test_a_group_name_that_leads_nowhere_is_a_gap(translated: Translate) -> None:
    wire = [{"LaunchConfigurationName": "lc", "SecurityGroups": ["nobody"]}]
    estate = translated({"autoscaling.describe_launch_configurations": wire})
    assert [(gap.resource, gap.reason, gap.facets) for gap in estate.gaps] == [("nobody", "unread", ("templates",))]


def test_a_target_bears_the_name_of_its_rule_even_where_the_snapshot_hashes_it(translated: Translate) -> None:
    arn = f"{RULE}-{'x' * 200}"
    task = {"NetworkConfiguration": {"awsvpcConfiguration": {"SecurityGroups": ["sg-1"]}}}
    answers: dict[str, Any] = {
        "events.list_rules#default": [{"Name": "nightly", "Arn": arn}],
        f"events.list_targets_by_rule#{arn}": [{"Id": "t", "EcsParameters": task}],
    }
    (template,) = translated(answers).templates.values()
    assert (template.own_id, template.name) == (f"{arn}/t", "nightly")
