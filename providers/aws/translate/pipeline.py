"""The stages that a packet meets in a VPC."""

from cloudseg.model import Pipeline, Stage
from cloudseg.providers.aws.translate.acls import STAGE as NETWORK_ACLS
from cloudseg.providers.aws.translate.groups import STAGE as SECURITY_GROUPS
from cloudseg.providers.aws.translate.networks import PIPELINE

__all__ = ["VPC"]

_ACLS = Stage(name=NETWORK_ACLS, at="subnet-boundary", stateful=False, match="first", miss="deny")
_GROUPS = Stage(name=SECURITY_GROUPS, at="interface", stateful=True, match="any", miss="deny")

VPC = Pipeline(name=PIPELINE, ingress=(_ACLS, _GROUPS), egress=(_GROUPS, _ACLS))
"""The network ACL of the subnet, ordered and stateless, and the security groups of the interface, stateful allows.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/infrastructure-security.html
"""
