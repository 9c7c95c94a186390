"""Tags of AWS resources, and what they and names tell about who keeps a resource."""

import re

import msgspec

__all__ = ["Tag", "controller_of", "tags_of"]

# What only records how a resource was made or billed. A stack or a product is edited by the user, in its template.
_RECORDS = frozenset(
    ("autoscaling", "cloudformation", "createdBy", "ec2", "ec2launchtemplate", "servicecatalog", "tag")
)
_BALANCER_CONTROLLER = ("elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/")
_CLUSTER = "kubernetes.io/cluster/"
_NAMES = (
    (re.compile(r"ElasticMapReduce-"), "elasticmapreduce"),
    (re.compile(r"eks-cluster-sg-"), "eks"),
    (re.compile(r"k8s-elb-"), "kubernetes"),
    (re.compile(r"d-[0-9a-f]{10}_(controllers|workspacesMembers)$"), "directory-service"),
    (re.compile(r"AWS-OpsWorks-"), "opsworks"),
    (re.compile(r"security-group-for-(in|out)bound-nfs-d-"), "sagemaker"),
)


class Tag(msgspec.Struct, rename="pascal"):
    """One tag."""

    key: str = ""
    value: str = ""


def tags_of(tags: list[Tag]) -> dict[str, str]:
    """Return tags by key."""
    return {tag.key: tag.value for tag in tags}


def controller_of(tags: dict[str, str], name: str = "") -> str:
    """Return the service or controller that keeps a resource and would undo a change; empty for the user's own.

    Only AWS itself sets tags that begin with ``aws:``
    (https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html). Kubernetes marks what it owns
    (https://kubernetes.io/docs/reference/labels-annotations-taints/), the load balancer controller likewise
    (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/security_groups/).
    """
    for key, value in tags.items():
        if key.startswith("aws:") and (service := key.split(":")[1]) not in _RECORDS:
            return service
        if key.startswith(_BALANCER_CONTROLLER):
            return "aws-load-balancer-controller"
        if key.startswith(_CLUSTER) and value == "owned":
            return "kubernetes"
    return next((controller for pattern, controller in _NAMES if pattern.match(name)), "")
