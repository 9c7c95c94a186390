"""Settings that would attach groups to interfaces which do not exist yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Template
from cloudseg.snapshot import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_templates"]

_FACET = "templates"


class _TemplateInterface(msgspec.Struct, rename="pascal"):
    groups: list[str] = []


class _TemplateData(msgspec.Struct, rename="pascal"):
    security_group_ids: list[str] = []
    security_groups: list[str] = []
    network_interfaces: list[_TemplateInterface] = []


class _TemplateVersion(msgspec.Struct, rename="pascal"):
    launch_template_id: str
    launch_template_name: str = ""
    launch_template_data: _TemplateData = msgspec.field(default_factory=_TemplateData)


class _LaunchConfiguration(msgspec.Struct, rename="pascal"):
    launch_configuration_name: str
    launch_configuration_arn: str = msgspec.field(default="", name="LaunchConfigurationARN")
    security_groups: list[str] = []


class _ComputeResources(msgspec.Struct, rename="camel"):
    security_group_ids: list[str] = []


class _ComputeEnvironment(msgspec.Struct, rename="camel"):
    compute_environment_arn: str
    compute_environment_name: str = ""
    compute_resources: _ComputeResources = msgspec.field(default_factory=_ComputeResources)


class _ProjectVpc(msgspec.Struct, rename="camel"):
    security_group_ids: list[str] = []


class _Project(msgspec.Struct, rename="camel"):
    arn: str
    name: str = ""
    vpc_config: _ProjectVpc = msgspec.field(default_factory=_ProjectVpc)


class _AwsVpc(msgspec.Struct, rename="camel"):
    security_groups: list[str] = []


class _TaskNetwork(msgspec.Struct, rename="camel"):
    awsvpc_configuration: _AwsVpc = msgspec.field(default_factory=_AwsVpc)


class _Deployment(msgspec.Struct, rename="camel"):
    network_configuration: _TaskNetwork = msgspec.field(default_factory=_TaskNetwork)


class _EcsService(msgspec.Struct, rename="camel"):
    service_arn: str
    service_name: str = ""
    status: str = ""
    network_configuration: _TaskNetwork = msgspec.field(default_factory=_TaskNetwork)
    deployments: list[_Deployment] = []
    task_sets: list[_Deployment] = []


class _TargetVpc(msgspec.Struct, rename="pascal"):
    security_groups: list[str] = []


class _TargetNetwork(msgspec.Struct):
    awsvpc: _TargetVpc = msgspec.field(default_factory=_TargetVpc, name="awsvpcConfiguration")


class _EcsParameters(msgspec.Struct, rename="pascal"):
    network_configuration: _TargetNetwork = msgspec.field(default_factory=_TargetNetwork)


class _Target(msgspec.Struct, rename="pascal"):
    id: str
    ecs_parameters: _EcsParameters = msgspec.field(default_factory=_EcsParameters)


class _Rule(msgspec.Struct, rename="pascal"):
    arn: str
    name: str = ""


class _Lattice(msgspec.Struct, rename="camel"):
    id: str
    arn: str = ""
    name: str = ""
    status: str = ""
    service_network_name: str = ""
    security_group_ids: list[str] = []


class _Settings:
    """Collects the settings of one account and region, several of one name joined."""

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self.answers = answers
        self.draft = draft
        self._by_name: dict[str, frozenset[str]] | None = None

    def add(self, own: str, kind: str, name: str, *interfaces: Iterable[str]) -> None:
        """Add a setting with the groups of each of its interfaces, by id or, as of old, by name.

        One without groups says nothing.
        """
        together = frozenset(company for groups in interfaces for company in self._companies(groups) if company)
        identifier = self.answers.id(own)
        known = self.draft.templates.get(identifier)
        if known is not None:
            together |= known.together
        if together:
            template = Template(
                id=identifier,
                kind=kind,
                name=name,
                region=self.answers.region,
                groups=frozenset[str]().union(*together),
                together=together,
            )
            self.draft.put(self.draft.templates, template, self.answers.scope)

    def _companies(self, groups: Iterable[str]) -> Iterable[frozenset[str]]:
        """Return the groups of one interface, all at once; each alone where a name may mean several."""
        found = [self._ids(group) for group in groups if group]
        joined = frozenset(identifier for ids in found for identifier in ids)
        if all(len(ids) <= 1 for ids in found):
            return (joined,)
        return [frozenset((identifier,)) for identifier in joined]

    def _ids(self, group: str) -> frozenset[str]:
        if group.startswith("sg-"):
            return frozenset((self.draft.id_of(self.answers, group),))
        if self._by_name is None:
            self._by_name = {}
            for known in self.draft.groups.values():
                if known.region == self.answers.region and known.scope == self.answers.scope:
                    self._by_name[known.name] = self._by_name.get(known.name, frozenset()) | {known.id}
        if group not in self._by_name:
            detail = f"a setting attaches the group {group}, and no group of that name was read"
            self.answers.gap("ec2.describe_security_groups", group, "unread", detail, _FACET)
        return self._by_name.get(group, frozenset())


def add_templates(answers: Answers, draft: Draft) -> None:
    """Add launch templates and configurations, and what starts containers, builds and jobs in a VPC.

    A group that one of them names is in use, though no interface carries it yet. Databases, functions and other
    services add theirs where they are translated.
    """
    settings = _Settings(answers, draft)
    _add_launches(answers, settings)
    _add_jobs(answers, settings)
    _add_event_targets(answers, settings)
    _add_lattice(answers, settings)


def _add_launches(answers: Answers, settings: _Settings) -> None:
    """Add launch templates, of which the default and the latest version are read, and launch configurations.

    Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResponseLaunchTemplateData.html
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchConfiguration.html
    """
    key = "LaunchTemplateVersions"
    for version in answers.each("ec2", "describe_launch_template_versions", key, _TemplateVersion, _FACET):
        data = version.launch_template_data
        first = [*data.security_group_ids, *data.security_groups]
        others = (interface.groups for interface in data.network_interfaces)
        settings.add(version.launch_template_id, "launch-template", version.launch_template_name, first, *others)
    operation = ("autoscaling", "describe_launch_configurations")
    for launch in answers.each(*operation, "LaunchConfigurations", _LaunchConfiguration, _FACET):
        own = launch.launch_configuration_arn or launch.launch_configuration_name
        settings.add(own, "launch-configuration", launch.launch_configuration_name, launch.security_groups)


def _add_jobs(answers: Answers, settings: _Settings) -> None:
    """Add compute environments of Batch, projects of CodeBuild and services of ECS.

    Sources: https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_VpcConfig.html
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html
    """
    operation, key = "describe_compute_environments", "computeEnvironments"
    for environment in answers.each("batch", operation, key, _ComputeEnvironment, _FACET):
        own, name = environment.compute_environment_arn, environment.compute_environment_name
        settings.add(own, "batch-compute-environment", name, environment.compute_resources.security_group_ids)
    for project in answers.each("codebuild", "batch_get_projects", "projects", _Project, _FACET):
        settings.add(project.arn, "codebuild-project", project.name, project.vpc_config.security_group_ids)
    for service in answers.each("ecs", "describe_services", "services", _EcsService, _FACET):
        if service.status == "INACTIVE":
            continue
        networks = [service.network_configuration]
        networks += [each.network_configuration for each in (*service.deployments, *service.task_sets)]
        groups = (network.awsvpc_configuration.security_groups for network in networks)
        settings.add(service.service_arn, "ecs-service", service.service_name, *groups)


def _add_event_targets(answers: Answers, settings: _Settings) -> None:
    """Add the ECS tasks that rules of EventBridge start; a disabled rule can be enabled again.

    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EcsParameters.html
    """
    rules: dict[str, _Rule] = {}
    for rule in answers.each("events", "list_rules", "Rules", _Rule, _FACET):
        # A snapshot holds a long name as its hash.
        resource = Part("aws", answers.scope, answers.region, "events", "list_targets_by_rule", rule.arn).resource
        rules[resource or ""] = rule
    for resource, target in answers.each_of("events", "list_targets_by_rule", "Targets", _Target, _FACET):
        rule = rules.get(resource, _Rule(resource))
        groups = target.ecs_parameters.network_configuration.awsvpc.security_groups
        settings.add(f"{rule.arn}/{target.id}", "event-rule-target", rule.name or target.id, groups)


def _add_lattice(answers: Answers, settings: _Settings) -> None:
    """Add associations of VPCs with service networks of VPC Lattice, and resource gateways.

    Sources: https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_GetServiceNetworkVpcAssociation.html
    https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_ResourceGatewaySummary.html
    """
    for _, association in answers.whole("vpc-lattice", "get_service_network_vpc_association", _Lattice, _FACET):
        kind, own = "lattice-vpc-association", association.arn or association.id
        settings.add(own, kind, association.service_network_name, association.security_group_ids)
    for gateway in answers.each("vpc-lattice", "list_resource_gateways", "items", _Lattice, _FACET):
        own = gateway.arn or gateway.id
        settings.add(own, "lattice-resource-gateway", gateway.name, gateway.security_group_ids)
