"""Every AWS operation that an audit calls: one table, from which requests and the audit role's permissions follow.

Names are those of boto3 (service folders, operations in snake case, result keys). IAM actions follow the Service
Authorization Reference, https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html.
"""

from typing import Literal

import msgspec

from cloudseg.model import Facet
from cloudseg.providers.redaction import Json

__all__ = [
    "DISCOVERY",
    "OPERATIONS",
    "Each",
    "Json",
    "Operation",
    "Paging",
    "children_of",
    "found_at",
    "iam_actions",
    "items_of",
    "roots",
]

Place = Literal["regional", "global", "us-east-1", "us-west-2"]
"""Where an operation is asked: in every region; once, anywhere; or at the one place where the service lives."""


class Each(msgspec.Struct, frozen=True):
    """One call for each item of another operation's answer.

    ``items`` are dotted paths to lists (or to one object) in the answer of ``of``, an operation of the same service.
    ``arguments`` pair a request parameter with a key of the item, "" for the item itself; ``resource`` is the key that
    names the item. With ``batch`` that many items go into one call as a list, and their answers are merged under the
    parent's resource. ``carry`` are parameters taken over from the parent's request. ``region`` is the key of the
    region in which the item has to be asked. ``but`` is a key with the values of the items about which nothing is
    asked, for they have nothing to tell.
    """

    of: str
    items: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...]
    resource: str = ""
    batch: int = 0
    carry: tuple[str, ...] = ()
    region: str = ""
    but: tuple[str, tuple[str, ...]] = ("", ())


class Paging(msgspec.Struct, frozen=True):
    """Paging of an operation for which botocore has no paginator: the request's token, and the answer's (dotted)."""

    request: str
    answer: str


class Operation(msgspec.Struct, frozen=True):
    """One read-only call.

    ``key`` is the answer's list (or object). ``page`` is the page size to ask for, the largest that the service
    takes, so that a long list is a short chain of requests; ``paging`` is for operations without a paginator.
    ``none`` are error codes by which the service says that nothing is set. ``redact`` are keys that may hold secrets
    and that nothing needs: they are dropped at once.
    """

    service: str
    name: str
    iam: str
    key: str
    facets: tuple[Facet, ...]
    per: Each | None = None
    region: Place = "regional"
    arguments: tuple[tuple[str, object], ...] = ()
    page: int | None = None
    paging: Paging | None = None
    none: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()


def _same(key: str) -> tuple[tuple[str, str], ...]:
    return ((key, key),)


def _ec2(name: str, key: str, *facets: Facet, page: int | None = 1000, per: Each | None = None) -> Operation:
    camel = "".join(word.capitalize() for word in name.split("_"))
    return Operation("ec2", name, f"ec2:{camel}", key, facets, per, page=page)


def _per_table(name: str, key: str) -> Operation:
    per = Each(
        "describe_transit_gateway_route_tables",
        ("TransitGatewayRouteTables",),
        _same("TransitGatewayRouteTableId"),
        "TransitGatewayRouteTableId",
    )
    return _ec2(name, key, "transit", per=per)


def _per_bucket(name: str, iam: str, key: str, *none: str) -> Operation:
    per = Each("list_buckets", ("Buckets",), (("Bucket", "Name"),), "Name", region="BucketRegion")
    return Operation("s3", name, iam, key, ("services.s3",), per, region="global", none=none)


def _balancer(*but: str) -> Each:
    own = _same("LoadBalancerArn")
    return Each("describe_load_balancers", ("LoadBalancers",), own, "LoadBalancerArn", but=("Type", but))


_ROUTE_STATES = [{"Name": "state", "Values": ["active", "blackhole"]}]
_PREFIX_LIST = Each("describe_managed_prefix_lists", ("PrefixLists",), _same("PrefixListId"), "PrefixListId")
_ENDPOINT_SERVICE = Each(
    "describe_vpc_endpoint_service_configurations", ("ServiceConfigurations",), _same("ServiceId"), "ServiceId"
)
_CLASSIC_BALANCER = Each(
    "describe_load_balancers", ("LoadBalancerDescriptions",), _same("LoadBalancerName"), "LoadBalancerName"
)
_TARGET_GROUP = Each("describe_target_groups", ("TargetGroups",), _same("TargetGroupArn"), "TargetGroupArn")
_FIREWALL_RULES = ("FirewallPolicy.StatelessRuleGroupReferences", "FirewallPolicy.StatefulRuleGroupReferences")

_NETWORK: tuple[Operation, ...] = (
    # The longest answers first, so that their pages overlap with everything else.
    _ec2("describe_network_interfaces", "NetworkInterfaces", "interfaces"),
    _ec2("describe_security_group_rules", "SecurityGroupRules", "groups"),
    _ec2("describe_security_groups", "SecurityGroups", "groups"),
    _ec2("describe_instances", "Reservations", "workloads"),
    _ec2("describe_managed_prefix_lists", "PrefixLists", "address-lists", page=100),
    _ec2("get_managed_prefix_list_entries", "Entries", "address-lists", per=_PREFIX_LIST, page=100),
    _ec2("describe_route_tables", "RouteTables", "routes", page=100),
    _ec2("describe_subnets", "Subnets", "subnets"),
    _ec2("describe_network_acls", "NetworkAcls", "boundary-rules"),
    _ec2("describe_vpcs", "Vpcs", "networks"),
    _ec2("describe_internet_gateways", "InternetGateways", "gateways"),
    _ec2("describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "gateways", page=255),
    _ec2("describe_nat_gateways", "NatGateways", "gateways"),
    _ec2("describe_vpn_gateways", "VpnGateways", "gateways", page=None),
    # The configuration for the customer's device holds the keys of the tunnels.
    msgspec.structs.replace(
        _ec2("describe_vpn_connections", "VpnConnections", "gateways", page=None),
        redact=("CustomerGatewayConfiguration", "PreSharedKey", "PreSharedKeyArn"),
    ),
    _ec2("describe_customer_gateways", "CustomerGateways", "gateways", page=None),
    _ec2("describe_vpc_peering_connections", "VpcPeeringConnections", "peerings"),
    _ec2("describe_transit_gateways", "TransitGateways", "transit"),
    _ec2("describe_transit_gateway_attachments", "TransitGatewayAttachments", "transit"),
    _ec2("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments", "transit"),
    _ec2("describe_transit_gateway_route_tables", "TransitGatewayRouteTables", "transit"),
    msgspec.structs.replace(
        # A page of this operation holds a thousand routes unless asked for fewer.
        _per_table("search_transit_gateway_routes", "Routes"), arguments=(("Filters", _ROUTE_STATES),), page=None
    ),
    _per_table("get_transit_gateway_route_table_associations", "Associations"),
    _per_table("get_transit_gateway_route_table_propagations", "TransitGatewayRouteTablePropagations"),
    _ec2("describe_addresses", "Addresses", "interfaces", page=None),
    _ec2("describe_vpc_endpoints", "VpcEndpoints", "endpoints"),
    _ec2("describe_vpc_endpoint_services", "ServiceDetails", "endpoints"),
    _ec2("describe_vpc_endpoint_service_configurations", "ServiceConfigurations", "endpoint-services"),
    _ec2("describe_vpc_endpoint_service_permissions", "AllowedPrincipals", "endpoint-services", per=_ENDPOINT_SERVICE),
    _ec2("describe_vpc_endpoint_connections", "VpcEndpointConnections", "endpoint-services"),
    _ec2("describe_flow_logs", "FlowLogs", "flow-logs"),
    _ec2("describe_vpc_block_public_access_options", "VpcBlockPublicAccessOptions", "public-access-block", page=None),
    msgspec.structs.replace(
        _ec2(
            "describe_vpc_block_public_access_exclusions", "VpcBlockPublicAccessExclusions", "public-access-block",
            page=None,
        ),
        paging=Paging("NextToken", "NextToken"),
    ),
    _ec2("describe_security_group_vpc_associations", "SecurityGroupVpcAssociations", "groups"),
    msgspec.structs.replace(
        _ec2("describe_launch_template_versions", "LaunchTemplateVersions", "templates", page=200),
        arguments=(("Versions", ["$Latest", "$Default"]),),
        redact=("UserData",),
    ),
    _ec2("describe_instance_connect_endpoints", "InstanceConnectEndpoints", "endpoints", page=50),
    _ec2("describe_verified_access_endpoints", "VerifiedAccessEndpoints", "services.verified-access"),
    Operation(
        "elbv2", "describe_load_balancers", "elasticloadbalancing:DescribeLoadBalancers", "LoadBalancers",
        ("load-balancers",), page=400,
    ),
    Operation(
        "elbv2", "describe_target_groups", "elasticloadbalancing:DescribeTargetGroups", "TargetGroups",
        ("load-balancers",), page=400,
    ),
    Operation(
        "elbv2", "describe_target_health", "elasticloadbalancing:DescribeTargetHealth", "TargetHealthDescriptions",
        ("load-balancers",), _TARGET_GROUP,
    ),
    Operation(
        "elbv2", "describe_target_group_attributes", "elasticloadbalancing:DescribeTargetGroupAttributes", "Attributes",
        ("load-balancers",), _TARGET_GROUP,
    ),
    # The listener of a gateway load balancer takes everything that its endpoints send.
    Operation(
        "elbv2", "describe_listeners", "elasticloadbalancing:DescribeListeners", "Listeners", ("load-balancers",),
        _balancer("gateway"), page=400, redact=("ClientSecret",),
    ),
    # Only application load balancers have rules besides the default action that a listener shows itself.
    Operation(
        "elbv2", "describe_rules", "elasticloadbalancing:DescribeRules", "Rules", ("load-balancers",),
        Each(
            "describe_listeners", ("Listeners",), _same("ListenerArn"), "ListenerArn",
            but=("Protocol", ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC", "GENEVE")),
        ), page=400, redact=("ClientSecret",),
    ),
    # An application load balancer always balances across zones, unless a target group says otherwise.
    Operation(
        "elbv2", "describe_load_balancer_attributes", "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "Attributes", ("load-balancers",), _balancer("application", "gateway"),
    ),
    Operation(
        "elb", "describe_load_balancers", "elasticloadbalancing:DescribeLoadBalancers", "LoadBalancerDescriptions",
        ("load-balancers",), page=400,
    ),
    Operation(
        "elb", "describe_load_balancer_attributes", "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "LoadBalancerAttributes", ("load-balancers",), _CLASSIC_BALANCER,
    ),
    Operation(
        "elb", "describe_instance_health", "elasticloadbalancing:DescribeInstanceHealth", "InstanceStates",
        ("load-balancers",), _CLASSIC_BALANCER,
    ),
    Operation(
        "network-firewall", "list_firewalls", "network-firewall:ListFirewalls", "Firewalls", ("firewalls",), page=100,
    ),
    Operation(
        "network-firewall", "describe_firewall", "network-firewall:DescribeFirewall", "Firewall", ("firewalls",),
        Each("list_firewalls", ("Firewalls",), _same("FirewallArn"), "FirewallArn"),
    ),
    Operation(
        "network-firewall", "describe_firewall_policy", "network-firewall:DescribeFirewallPolicy", "FirewallPolicy",
        ("firewalls",),
        Each("describe_firewall", ("Firewall",), _same("FirewallPolicyArn"), "FirewallPolicyArn"),
    ),
    Operation(
        "network-firewall", "describe_rule_group", "network-firewall:DescribeRuleGroup", "RuleGroup", ("firewalls",),
        Each("describe_firewall_policy", _FIREWALL_RULES, (("RuleGroupArn", "ResourceArn"),), "ResourceArn"),
    ),
    Operation(
        "globalaccelerator", "list_accelerators", "globalaccelerator:ListAccelerators", "Accelerators", ("entrances",),
        region="us-west-2", page=100,
    ),
    Operation(
        "globalaccelerator", "list_listeners", "globalaccelerator:ListListeners", "Listeners", ("entrances",),
        Each("list_accelerators", ("Accelerators",), _same("AcceleratorArn"), "AcceleratorArn"),
        region="us-west-2", page=100,
    ),
    Operation(
        "globalaccelerator", "list_endpoint_groups", "globalaccelerator:ListEndpointGroups", "EndpointGroups",
        ("entrances",),
        Each("list_listeners", ("Listeners",), _same("ListenerArn"), "ListenerArn"), region="us-west-2", page=100,
    ),
    # Accelerators with custom routing are a kind of their own, with calls of their own.
    Operation(
        "globalaccelerator", "list_custom_routing_accelerators", "globalaccelerator:ListCustomRoutingAccelerators",
        "Accelerators", ("entrances",), region="us-west-2", page=100,
    ),
    Operation(
        "globalaccelerator", "list_custom_routing_listeners", "globalaccelerator:ListCustomRoutingListeners",
        "Listeners", ("entrances",),
        Each("list_custom_routing_accelerators", ("Accelerators",), _same("AcceleratorArn"), "AcceleratorArn"),
        region="us-west-2", page=100,
    ),
    Operation(
        "globalaccelerator", "list_custom_routing_endpoint_groups", "globalaccelerator:ListCustomRoutingEndpointGroups",
        "EndpointGroups", ("entrances",),
        Each("list_custom_routing_listeners", ("Listeners",), _same("ListenerArn"), "ListenerArn"),
        region="us-west-2", page=100,
    ),
    Operation(
        "cloudfront", "list_vpc_origins", "cloudfront:ListVpcOrigins", "VpcOriginList", ("entrances",),
        region="us-east-1", paging=Paging("Marker", "VpcOriginList.NextMarker"),
    ),
    # Associations are listed of one service network, or of one VPC.
    Operation(
        "vpc-lattice", "list_service_networks", "vpc-lattice:ListServiceNetworks", "items", ("endpoints", "groups"),
        page=100,
    ),
    Operation(
        "vpc-lattice", "list_service_network_vpc_associations", "vpc-lattice:ListServiceNetworkVpcAssociations",
        "items", ("endpoints", "groups"),
        Each("list_service_networks", ("items",), (("serviceNetworkIdentifier", "arn"),), "id"), page=100,
    ),
    Operation(
        "vpc-lattice", "get_service_network_vpc_association", "vpc-lattice:GetServiceNetworkVpcAssociation", "id",
        ("endpoints", "groups"),
        Each(
            "list_service_network_vpc_associations", ("items",),
            (("serviceNetworkVpcAssociationIdentifier", "arn"),), "id",
        ),
    ),
    Operation(
        "vpc-lattice", "list_target_groups", "vpc-lattice:ListTargetGroups", "items", ("endpoints",), page=100,
    ),
    Operation(
        "vpc-lattice", "get_target_group", "vpc-lattice:GetTargetGroup", "id", ("endpoints",),
        Each(
            "list_target_groups", ("items",), (("targetGroupIdentifier", "arn"),), "id",
            but=("type", ("LAMBDA", "ALB")),
        ),
    ),
    Operation(
        "vpc-lattice", "list_targets", "vpc-lattice:ListTargets", "items", ("endpoints",),
        Each(
            "list_target_groups", ("items",), (("targetGroupIdentifier", "arn"),), "id", but=("type", ("LAMBDA",)),
        ), page=100,
    ),
    Operation(
        "vpc-lattice", "list_resource_gateways", "vpc-lattice:ListResourceGateways", "items", ("endpoints", "groups"),
        page=100,
    ),
)  # fmt: skip

_SERVICES: tuple[Operation, ...] = (
    Operation("rds", "describe_db_instances", "rds:DescribeDBInstances", "DBInstances", ("services.rds",), page=100),
    Operation("rds", "describe_db_clusters", "rds:DescribeDBClusters", "DBClusters", ("services.rds",), page=100),
    Operation(
        "redshift", "describe_clusters", "redshift:DescribeClusters", "Clusters", ("services.redshift",), page=100,
    ),
    Operation(
        "redshift-serverless", "list_workgroups", "redshift-serverless:ListWorkgroups", "workgroups",
        ("services.redshift",), page=100,
    ),
    Operation(
        "opensearch", "list_domain_names", "es:ListDomainNames", "DomainNames", ("services.opensearch",),
    ),
    Operation(
        "opensearch", "describe_domains", "es:DescribeDomains", "DomainStatusList", ("services.opensearch",),
        Each("list_domain_names", ("DomainNames",), (("DomainNames", "DomainName"),), batch=5),
    ),
    Operation(
        "elasticache", "describe_cache_clusters", "elasticache:DescribeCacheClusters", "CacheClusters",
        ("services.elasticache",), page=100,
    ),
    Operation(
        "elasticache", "describe_serverless_caches", "elasticache:DescribeServerlessCaches", "ServerlessCaches",
        ("services.elasticache",),
    ),
    Operation("memorydb", "describe_clusters", "memorydb:DescribeClusters", "Clusters", ("services.memorydb",)),
    Operation("eks", "list_clusters", "eks:ListClusters", "clusters", ("services.eks",), page=100),
    Operation(
        "eks", "describe_cluster", "eks:DescribeCluster", "cluster", ("services.eks",),
        Each("list_clusters", ("clusters",), (("name", ""),)),
    ),
    Operation(
        "lambda", "list_functions", "lambda:ListFunctions", "Functions", ("services.lambda",),
        redact=("Environment",),
    ),
    Operation(
        "lambda", "list_function_url_configs", "lambda:ListFunctionUrlConfigs", "FunctionUrlConfigs",
        ("services.lambda",), Each("list_functions", ("Functions",), _same("FunctionName"), "FunctionName"), page=50,
    ),
    Operation("apigateway", "get_rest_apis", "apigateway:GET", "items", ("services.apigateway",), page=500),
    Operation("apigatewayv2", "get_apis", "apigateway:GET", "Items", ("services.apigateway",)),
    Operation(
        "ecr-public", "describe_repositories", "ecr-public:DescribeRepositories", "repositories",
        ("services.ecr-public",), region="us-east-1", page=1000,
    ),
    Operation("kafka", "list_clusters_v2", "kafka:ListClustersV2", "ClusterInfoList", ("services.kafka",), page=100),
    Operation(
        "dms", "describe_replication_instances", "dms:DescribeReplicationInstances", "ReplicationInstances",
        ("services.dms",), page=100,
    ),
    Operation(
        "efs", "describe_file_systems", "elasticfilesystem:DescribeFileSystems", "FileSystems", ("services.efs",),
        page=100,
    ),
    Operation(
        "efs", "describe_mount_targets", "elasticfilesystem:DescribeMountTargets", "MountTargets", ("services.efs",),
        Each("describe_file_systems", ("FileSystems",), _same("FileSystemId"), "FileSystemId"), page=100,
    ),
    Operation(
        "efs", "describe_mount_target_security_groups", "elasticfilesystem:DescribeMountTargetSecurityGroups",
        "SecurityGroups", ("services.efs",),
        Each("describe_mount_targets", ("MountTargets",), _same("MountTargetId"), "MountTargetId"),
    ),
    Operation("s3", "list_buckets", "s3:ListAllMyBuckets", "Buckets", ("services.s3",), region="global", page=1000),
    _per_bucket(
        "get_public_access_block", "s3:GetBucketPublicAccessBlock", "PublicAccessBlockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
    ),
    _per_bucket("get_bucket_policy_status", "s3:GetBucketPolicyStatus", "PolicyStatus", "NoSuchBucketPolicy"),
    _per_bucket("get_bucket_acl", "s3:GetBucketAcl", "Grants"),
    Operation(
        "s3control", "get_public_access_block", "s3:GetAccountPublicAccessBlock", "PublicAccessBlockConfiguration",
        ("services.s3",), region="global", none=("NoSuchPublicAccessBlockConfiguration",),
    ),
)  # fmt: skip

_USES_OF_GROUPS: tuple[Operation, ...] = (
    Operation(
        "autoscaling", "describe_launch_configurations", "autoscaling:DescribeLaunchConfigurations",
        "LaunchConfigurations", ("templates",), page=100, redact=("UserData",),
    ),
    Operation(
        "batch", "describe_compute_environments", "batch:DescribeComputeEnvironments", "computeEnvironments",
        ("templates",), page=100,
    ),
    Operation("codebuild", "list_projects", "codebuild:ListProjects", "projects", ("templates",)),
    Operation(
        "codebuild", "batch_get_projects", "codebuild:BatchGetProjects", "projects", ("templates",),
        Each("list_projects", ("projects",), (("names", ""),), batch=100),
        redact=("environmentVariables", "buildspec", "auth", "secret"),
    ),
    Operation("ecs", "list_clusters", "ecs:ListClusters", "clusterArns", ("templates",), page=100),
    Operation(
        "ecs", "list_services", "ecs:ListServices", "serviceArns", ("templates",),
        Each("list_clusters", ("clusterArns",), (("cluster", ""),)), page=100,
    ),
    Operation(
        "ecs", "describe_services", "ecs:DescribeServices", "services", ("templates",),
        Each("list_services", ("serviceArns",), (("services", ""),), batch=10, carry=("cluster",)),
        redact=("secretOptions", "options"),
    ),
    Operation(
        "events", "list_event_buses", "events:ListEventBuses", "EventBuses", ("templates",), page=100,
        paging=Paging("NextToken", "NextToken"),
    ),
    Operation(
        "events", "list_rules", "events:ListRules", "Rules", ("templates",),
        Each("list_event_buses", ("EventBuses",), (("EventBusName", "Name"),), "Name"), page=100,
    ),
    Operation(
        "events", "list_targets_by_rule", "events:ListTargetsByRule", "Targets", ("templates",),
        Each("list_rules", ("Rules",), (("Rule", "Name"), ("EventBusName", "EventBusName")), "Arn"),
        page=100, redact=("Input", "InputPath", "InputTransformer", "HttpParameters"),
    ),
)  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (*_NETWORK, *_SERVICES, *_USES_OF_GROUPS)
"""Everything that an audit reads of one account."""

DISCOVERY: tuple[tuple[str, str, str | None], ...] = (
    ("sts", "get_caller_identity", None),
    ("ec2", "describe_regions", "ec2:DescribeRegions"),
)
"""What the collector asks for itself, with the IAM action it takes: who it is, and which regions are enabled."""


def iam_actions() -> list[str]:
    """The IAM actions that reading one account takes, sorted."""
    asked = {action for _, _, action in DISCOVERY if action is not None}
    return sorted(asked | {operation.iam for operation in OPERATIONS})


def roots() -> tuple[Operation, ...]:
    """The operations that need no other's answer."""
    return tuple(operation for operation in OPERATIONS if operation.per is None)


def children_of(parent: Operation) -> tuple[Operation, ...]:
    """The operations that are called for what another one's answer lists."""
    return _CHILDREN.get((parent.service, parent.name), ())


def items_of(answer: Json, each: Each) -> list[Json]:
    """The items of an answer for each of which a further call is due, in the answer's order.

    An answer that is a bare list, as the command line may write it, lacks the key that the path begins with.
    """
    items = answer if isinstance(answer, list) else [item for path in each.items for item in found_at(answer, path)]
    key, but = each.but
    return [item for item in items if not (isinstance(item, dict) and item.get(key) in but)] if key else items


def found_at(answer: Json, path: str) -> list[Json]:
    """What lies at a dotted path of an answer: the items of a list, or one value; nothing where the path ends."""
    found: Json = answer
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _children() -> dict[tuple[str, str], tuple[Operation, ...]]:
    found: dict[tuple[str, str], tuple[Operation, ...]] = {}
    for operation in OPERATIONS:
        if operation.per is not None:
            key = (operation.service, operation.per.of)
            found[key] = (*found.get(key, ()), operation)
    return found


_CHILDREN = _children()
