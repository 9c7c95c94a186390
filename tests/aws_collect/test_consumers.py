"""Nothing is fetched that nothing reads: each collected operation names the module of the translation that reads it."""

import sys

import pytest

from cloudseg.demo import demo_snapshot_path
from cloudseg.providers.aws.operations import OPERATIONS, children_of
from cloudseg.providers.aws.translate import translate
from cloudseg.providers.aws.translate.answers import Answers
from cloudseg.snapshot import Part, load

ROOM = "cloudseg.providers.aws.translate."
CONSUMERS = {
    "ec2.describe_network_interfaces": "interfaces",
    "ec2.describe_security_group_rules": "permissions",
    "ec2.describe_security_groups": "groups",
    "ec2.describe_instances": "workloads",
    "ec2.describe_managed_prefix_lists": "prefix_lists",
    "ec2.get_managed_prefix_list_entries": "prefix_lists",
    "ec2.describe_route_tables": "routes",
    "ec2.describe_subnets": "networks",
    "ec2.describe_network_acls": "acls",
    "ec2.describe_vpcs": "networks",
    "ec2.describe_internet_gateways": "gateways",
    "ec2.describe_egress_only_internet_gateways": "gateways",
    "ec2.describe_nat_gateways": "gateways",
    "ec2.describe_vpn_gateways": "vpns",
    "ec2.describe_vpn_connections": "vpns",
    "ec2.describe_customer_gateways": "vpns",
    "ec2.describe_vpc_peering_connections": "gateways",
    "ec2.describe_transit_gateways": "transit",
    "ec2.describe_transit_gateway_attachments": "transit",
    "ec2.describe_transit_gateway_vpc_attachments": "transit",
    "ec2.describe_transit_gateway_route_tables": "transit",
    "ec2.search_transit_gateway_routes": "transit",
    "ec2.get_transit_gateway_route_table_associations": "transit",
    "ec2.get_transit_gateway_route_table_propagations": "transit",
    "ec2.describe_addresses": "entrances",
    "ec2.describe_vpc_endpoints": "endpoints",
    "ec2.describe_vpc_endpoint_services": "endpoints",
    "ec2.describe_vpc_endpoint_service_configurations": "endpoint_services",
    "ec2.describe_vpc_endpoint_service_permissions": "endpoint_services",
    "ec2.describe_vpc_endpoint_connections": "endpoint_services",
    "ec2.describe_flow_logs": "flow_logs",
    "ec2.describe_vpc_block_public_access_options": "public_access_block",
    "ec2.describe_vpc_block_public_access_exclusions": "public_access_block",
    "ec2.describe_security_group_vpc_associations": "groups",
    "ec2.describe_launch_template_versions": "templates",
    "ec2.describe_instance_connect_endpoints": "endpoints",
    "ec2.describe_verified_access_endpoints": "services_verified_access",
    "elbv2.describe_load_balancers": "load_balancers",
    "elbv2.describe_target_groups": "target_groups",
    "elbv2.describe_target_health": "target_groups",
    "elbv2.describe_target_group_attributes": "target_groups",
    "elbv2.describe_listeners": "listeners",
    "elbv2.describe_rules": "listeners",
    "elbv2.describe_load_balancer_attributes": "target_groups",
    "elb.describe_load_balancers": "classic_load_balancers",
    "elb.describe_load_balancer_attributes": "classic_load_balancers",
    "elb.describe_instance_health": "classic_load_balancers",
    "network-firewall.list_firewalls": "firewalls",
    "network-firewall.describe_firewall": "firewalls",
    "network-firewall.describe_firewall_policy": "firewall_policies",
    "network-firewall.describe_rule_group": "firewall_policies",
    "globalaccelerator.list_accelerators": "entrances",
    "globalaccelerator.list_listeners": "entrances",
    "globalaccelerator.list_endpoint_groups": "entrances",
    "globalaccelerator.list_custom_routing_accelerators": "custom_routing",
    "globalaccelerator.list_custom_routing_listeners": "->list_custom_routing_endpoint_groups",
    "globalaccelerator.list_custom_routing_endpoint_groups": "custom_routing",
    "cloudfront.list_vpc_origins": "entrances",
    "vpc-lattice.list_service_networks": "->list_service_network_vpc_associations",
    "vpc-lattice.list_service_network_vpc_associations": "lattice",
    "vpc-lattice.get_service_network_vpc_association": "templates",
    "vpc-lattice.list_target_groups": "lattice",
    "vpc-lattice.get_target_group": "lattice",
    "vpc-lattice.list_targets": "lattice",
    "vpc-lattice.list_resource_gateways": "templates",
    "rds.describe_db_instances": "services_rds",
    "rds.describe_db_clusters": "services_rds",
    "redshift.describe_clusters": "services_redshift",
    "redshift-serverless.list_workgroups": "services_redshift",
    "opensearch.list_domain_names": "services_opensearch",
    "opensearch.describe_domains": "services_opensearch",
    "elasticache.describe_cache_clusters": "services_caches",
    "elasticache.describe_serverless_caches": "services_caches",
    "memorydb.describe_clusters": "services_caches",
    "eks.list_clusters": "services_eks",
    "eks.describe_cluster": "services_eks",
    "lambda.list_functions": "services_lambda",
    "lambda.list_function_url_configs": "services_lambda",
    "apigateway.get_rest_apis": "services_apigateway",
    "apigatewayv2.get_apis": "services_apigateway",
    "ecr-public.describe_repositories": "services_ecr_public",
    "kafka.list_clusters_v2": "services_kafka",
    "dms.describe_replication_instances": "services_dms",
    "efs.describe_file_systems": "services_efs",
    "efs.describe_mount_targets": "services_efs",
    "efs.describe_mount_target_security_groups": "services_efs",
    "s3.list_buckets": "services_s3",
    "s3.get_public_access_block": "services_s3",
    "s3.get_bucket_policy_status": "services_s3",
    "s3.get_bucket_acl": "services_s3",
    "s3control.get_public_access_block": "services_s3",
    "autoscaling.describe_launch_configurations": "templates",
    "batch.describe_compute_environments": "templates",
    "codebuild.list_projects": "->batch_get_projects",
    "codebuild.batch_get_projects": "templates",
    "ecs.list_clusters": "->list_services",
    "ecs.list_services": "->describe_services",
    "ecs.describe_services": "templates",
    "events.list_event_buses": "->list_rules",
    "events.list_rules": "templates",
    "events.list_targets_by_rule": "templates",
}
"""The module that reads the answer; after ``->``, the operation whose calls the answer decides."""


@pytest.fixture(scope="module")
def readers() -> dict[str, set[str]]:
    """The modules that ask for each answer while the demo, which holds an answer to every operation, is translated."""
    seen: dict[str, set[str]] = {}
    about = Answers._about  # pyright: ignore[reportPrivateUsage] - every way to an answer goes through it

    def recording(self: Answers, service: str, operation: str) -> list[Part]:
        frame = sys._getframe().f_back  # pyright: ignore[reportPrivateUsage] - `inspect` looks up every file
        while frame is not None:
            module = str(frame.f_globals["__name__"])
            if module.startswith(ROOM) and module != f"{ROOM}answers":
                seen.setdefault(f"{service}.{operation}", set()).add(module.removeprefix(ROOM))
                break
            frame = frame.f_back
        return about(self, service, operation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Answers, "_about", recording)
        translate(load(demo_snapshot_path()))
    return seen


def test_every_collected_operation_names_its_consumer() -> None:
    assert {f"{operation.service}.{operation.name}" for operation in OPERATIONS} == CONSUMERS.keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.service}.{operation.name}")
def test_the_consumer_reads_the_answer(operation: object, readers: dict[str, set[str]]) -> None:
    known = next(each for each in OPERATIONS if each is operation)
    name = f"{known.service}.{known.name}"
    consumer = CONSUMERS[name]
    if consumer.startswith("->"):
        assert consumer.removeprefix("->") in {child.name for child in children_of(known)}
    else:
        assert consumer in readers[name]
