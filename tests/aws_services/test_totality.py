import json
from typing import Any, cast

from hypothesis import given

from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.providers.aws.translate import translate
from cloudseg.snapshot import Part, Snapshot
from tests.spoiling import assert_told, examples, junk, spoiled_snapshots

POLICY = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "*"}]})
GROUPS = [{"VpcSecurityGroupId": "sg-1"}]
SUBNETS = {"DBSubnetGroupName": "s", "VpcId": "vpc-1", "Subnets": [{"SubnetIdentifier": "subnet-1"}]}
TASK = {"NetworkConfiguration": {"awsvpcConfiguration": {"SecurityGroups": ["sg-1", "name"]}}}
MATCH = {"Destinations": [{"AddressDefinition": "0.0.0.0/0"}], "Protocols": [6]}
ACCELERATOR = "arn:aws:globalaccelerator::1:accelerator/a"
ANSWERS: dict[str, Any] = {
    "ec2.describe_network_interfaces": [
        {"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "Groups": [{"GroupId": "sg-1"}],
         "Description": "RDSNetworkInterface", "Association": {"PublicIp": "203.0.113.1"}},
    ],
    "ec2.describe_addresses": [{"AllocationId": "eipalloc-1", "NetworkInterfaceId": "eni-1"}],
    "ec2.describe_vpc_endpoints": [
        {"VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "PolicyDocument": POLICY,
         "Groups": [{"GroupId": "sg-1"}], "NetworkInterfaceIds": ["eni-9"], "SubnetIds": ["subnet-1"],
         "State": "available", "ServiceName": "s", "RouteTableIds": ["rtb-1"], "PrivateDnsEnabled": True},
    ],
    "ec2.describe_instance_connect_endpoints": [
        {"InstanceConnectEndpointId": "eice-1", "State": "create-complete", "SecurityGroupIds": ["sg-1"]},
    ],
    "ec2.describe_vpc_endpoint_service_configurations": [{"ServiceId": "vpce-svc-1", "AcceptanceRequired": True}],
    "ec2.describe_vpc_endpoint_service_permissions#vpce-svc-1": [{"Principal": "*", "PrincipalType": "All"}],
    "ec2.describe_vpc_endpoint_connections": [{"ServiceId": "vpce-svc-1", "VpcEndpointState": "available"}],
    "ec2.describe_flow_logs": [
        {"FlowLogId": "fl-1", "ResourceId": "vpc-1", "TrafficType": "ALL", "LogFormat": "${version}"},
    ],
    "ec2.describe_launch_template_versions": [
        {"LaunchTemplateId": "lt-1", "LaunchTemplateData": {"SecurityGroupIds": ["sg-1"], "NetworkInterfaces": [{}]}},
    ],
    "ec2.describe_verified_access_endpoints": [{"VerifiedAccessEndpointId": "v", "SecurityGroupIds": ["sg-1"]}],
    "network-firewall.describe_firewall#f": {
        "Firewall": {"FirewallName": "f", "FirewallArn": "arn:f", "FirewallPolicyArn": "arn:p", "VpcId": "vpc-1"},
        "FirewallStatus": {"SyncStates": {"a": {"Attachment": {"EndpointId": "vpce-1"}}}},
    },
    "network-firewall.describe_firewall_policy#arn:p": {
        "FirewallPolicy": {
            "StatelessDefaultActions": ["aws:forward_to_sfe"],
            "StatelessRuleGroupReferences": [{"ResourceArn": "arn:g"}],
            "StatefulRuleGroupReferences": [{"ResourceArn": "arn:g"}],
        },
    },
    "network-firewall.describe_rule_group#arn:g": {
        "RuleGroup": {
            "RulesSource": {
                "RulesString": 'pass tls any any -> any any (tls.sni; content:"a.b"; sid:1;)',
                "RulesSourceList": {"Targets": [".a.b"], "TargetTypes": ["x"], "GeneratedRulesType": "ALLOWLIST"},
                "StatefulRules": [
                    {"Action": "PASS", "Header": {"Protocol": "IP"}, "RuleOptions": [{"Keyword": "sid"}]},
                ],
                "StatelessRulesAndCustomActions": {
                    "StatelessRules": [{"RuleDefinition": {"MatchAttributes": MATCH, "Actions": ["aws:pass"]}}],
                },
            },
        },
    },
    "globalaccelerator.list_accelerators": [{"AcceleratorArn": ACCELERATOR, "Enabled": True}],
    "globalaccelerator.list_listeners": [
        {"ListenerArn": f"{ACCELERATOR}/listener/l", "Protocol": "TCP", "PortRanges": [{"FromPort": 1, "ToPort": 2}]},
    ],
    "globalaccelerator.list_endpoint_groups": [
        {"EndpointGroupArn": f"{ACCELERATOR}/listener/l/endpoint-group/g", "EndpointGroupRegion": "eu-west-1",
         "EndpointDescriptions": [{"EndpointId": "arn:aws:x"}, {"EndpointId": "eipalloc-1"}],
         "PortOverrides": [{"ListenerPort": 1, "EndpointPort": 3}]},
    ],
    "globalaccelerator.list_custom_routing_accelerators": [{"AcceleratorArn": ACCELERATOR, "Enabled": False}],
    "globalaccelerator.list_custom_routing_endpoint_groups": [
        {"EndpointGroupArn": f"{ACCELERATOR}/listener/m/endpoint-group/g", "EndpointGroupRegion": "eu-west-1",
         "DestinationDescriptions": [{"FromPort": 1, "ToPort": 2, "Protocols": ["TCP"]}],
         "EndpointDescriptions": [{"EndpointId": "subnet-1"}]},
    ],
    "cloudfront.list_vpc_origins": {"VpcOriginList": {"Items": [{"Id": "o", "OriginEndpointArn": "arn:aws:ec2:r:1"}]}},
    "vpc-lattice.list_service_network_vpc_associations#n": [{"id": "a", "vpcId": "vpc-1", "status": "ACTIVE"}],
    "vpc-lattice.get_service_network_vpc_association#a": {"id": "a", "securityGroupIds": ["sg-1"]},
    "vpc-lattice.list_target_groups": [{"id": "t", "type": "IP", "protocol": "HTTP", "port": 1, "serviceArns": ["s"]}],
    "vpc-lattice.get_target_group#t": {"id": "t", "config": {"healthCheck": {"enabled": True, "port": 2}}},
    "vpc-lattice.list_targets#t": [{"id": "10.0.0.5", "port": 80, "status": "HEALTHY"}],
    "vpc-lattice.list_resource_gateways": [{"id": "g", "securityGroupIds": ["sg-1"]}],
    "rds.describe_db_instances": [
        {"DBInstanceIdentifier": "d", "DBClusterIdentifier": "c", "PubliclyAccessible": True,
         "VpcSecurityGroups": GROUPS, "DBSubnetGroup": SUBNETS, "TagList": [{"Key": "a", "Value": "b"}]},
    ],
    "rds.describe_db_clusters": [{"DBClusterIdentifier": "c", "DBSubnetGroup": "s", "VpcSecurityGroups": GROUPS}],
    "redshift.describe_clusters": [
        {"ClusterIdentifier": "r", "ClusterNodes": [{"PrivateIPAddress": "10.0.0.1", "PublicIPAddress": "x"}],
         "PubliclyAccessible": True, "VpcSecurityGroups": GROUPS},
    ],
    "redshift-serverless.list_workgroups": [
        {"workgroupName": "w", "subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"],
         "endpoint": {"vpcEndpoints": [{"vpcId": "vpc-1"}]}},
    ],
    "opensearch.describe_domains": [
        {"DomainName": "o", "AccessPolicies": POLICY, "VPCOptions": {"VPCId": "v", "SecurityGroupIds": ["sg-1"]}},
    ],
    "elasticache.describe_cache_clusters": [{"CacheClusterId": "c", "SecurityGroups": [{"SecurityGroupId": "sg-1"}]}],
    "elasticache.describe_serverless_caches": [
        {"ServerlessCacheName": "s", "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    ],
    "memorydb.describe_clusters": [{"Name": "m", "ACLName": "open-access"}],
    "eks.list_clusters": ["k", "l"],
    "eks.describe_cluster#k": {"cluster": {"name": "k", "resourcesVpcConfig": {"publicAccessCidrs": ["0.0.0.0/0"]}}},
    "lambda.list_functions": [{"FunctionName": "f", "VpcConfig": {"VpcId": "v", "SecurityGroupIds": ["sg-1"]}}],
    "lambda.list_function_url_configs#f": [{"FunctionUrl": "u", "AuthType": "NONE"}],
    "apigateway.get_rest_apis": [{"id": "a", "policy": POLICY, "endpointConfiguration": {"types": ["EDGE"]}}],
    "apigatewayv2.get_apis": [{"ApiId": "h", "ProtocolType": "HTTP", "Tags": {"a": "b"}}],
    "ecr-public.describe_repositories": [{"repositoryName": "r"}],
    "kafka.list_clusters_v2": [{"ClusterArn": "arn:k", "Provisioned": {"BrokerNodeGroupInfo": {"ClientSubnets": []}}}],
    "dms.describe_replication_instances": [
        {"ReplicationInstanceIdentifier": "r", "ReplicationInstancePrivateIpAddress": "10.0.0.1",
         "VpcSecurityGroups": GROUPS, "ReplicationSubnetGroup": {"Subnets": [{"SubnetIdentifier": "subnet-1"}]}},
    ],
    "efs.describe_file_systems": [{"FileSystemId": "fs-1"}],
    "efs.describe_mount_targets#fs-1": [
        {"MountTargetId": "t", "FileSystemId": "fs-1", "IpAddress": "10.0.0.1", "SubnetId": "subnet-1"},
    ],
    "efs.describe_mount_target_security_groups#t": ["sg-1"],
    "s3.list_buckets": [{"Name": "b"}],
    "s3.get_public_access_block#b": {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True}},
    "s3.get_bucket_policy_status#b": {"PolicyStatus": {"IsPublic": True}},
    "s3.get_bucket_acl#b": {"Grants": [{"Grantee": {"URI": "x"}, "Permission": "READ"}]},
    "s3control.get_public_access_block": {},
    "autoscaling.describe_launch_configurations": [{"LaunchConfigurationName": "l", "SecurityGroups": ["sg-1"]}],
    "batch.describe_compute_environments": [{"computeEnvironmentArn": "arn:b", "computeResources": {}}],
    "codebuild.batch_get_projects": [{"arn": "arn:c", "vpcConfig": {"securityGroupIds": ["sg-1"]}}],
    "ecs.describe_services": [{"serviceArn": "arn:s", "deployments": [{}], "taskSets": [{}]}],
    "events.list_rules#default": [{"Name": "r", "Arn": "arn:r"}],
    "events.list_targets_by_rule#arn:r": [{"Id": "t", "EcsParameters": TASK}],
}  # fmt: skip
KEYS = {f"{each.service}.{each.name}": each.key for each in OPERATIONS}


def _part(name: str) -> Part:
    what, _, resource = name.partition("#")
    service, operation = what.split(".")
    return Part("aws", "1", "eu-west-1", service, operation, resource or None)


def _payload(name: str) -> Any:
    answer = ANSWERS[name]
    key = KEYS[name.partition("#")[0]]
    return {key: cast("list[Any]", answer)} if isinstance(answer, list) else answer


WHOLE = {_part(name): _payload(name) for name in ANSWERS}
POLICIES = ("", "*", "arn:", "arn:aws:ec2", "{", '{"Statement":', '{"Statement":[{"Condition":7}]}')


@examples(300)
@given(spoiled_snapshots(WHOLE, junk(*POLICIES)))
def test_translation_never_raises_and_every_gap_has_its_reason(snapshot: Snapshot) -> None:
    estate = translate(snapshot)
    assert_told(estate)
    for service in estate.services.values():
        assert service.interfaces <= estate.interfaces.keys()
        assert service.reason


def test_whole_answers_translate_to_all_that_they_hold() -> None:
    estate = translate(Snapshot.of(WHOLE))
    # One text in them is no address, and one group is named that was not read.
    assert sorted((gap.what, gap.resource) for gap in estate.gaps) == [
        ("ec2.describe_security_groups", "name"),
        ("redshift.describe_clusters", "r"),
    ]
    assert sorted(service.kind for service in estate.services.values()) == [
        "dms-replication-instance", "ecr-public-repository", "efs-file-system", "eks-cluster", "eks-cluster",
        "elasticache-cluster", "elasticache-serverless", "http-api", "kafka-cluster", "lambda-function",
        "memorydb-cluster", "opensearch-domain", "rds-instance", "redshift-cluster", "redshift-serverless-workgroup",
        "rest-api", "s3-bucket", "verified-access-endpoint",
    ]  # fmt: skip
    counts = (estate.endpoints, estate.endpoint_services, estate.firewalls, estate.flow_logs, estate.entrances)
    assert [len(each) for each in counts] == [1, 1, 1, 1, 4]
