"""Whether a group that is attached to an interface stays there, or the next replacement takes it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.model import Estate, Interface

__all__ = ["Lasting", "lasting"]

_SCALES: Final = "aws:autoscaling:groupName"
_MADE_BY: Final = (
    (_SCALES, "the launch template of the auto scaling group {}"),
    ("aws:ec2launchtemplate:id", "the launch template {}"),
    ("aws:cloudformation:stack-name", "the template of the CloudFormation stack {}"),
)
"""Tags of AWS by which an instance tells what made it. Sources:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-templates.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html"""
_SCALE_SET: Final = "scale-set"
_USERS: Final = frozenset(("interface", "efa", "efa-only", "branch", "trunk", "", "private_endpoint"))


class Lasting(NamedTuple):
    """Whether a group stays at an interface.

    Attributes:
        stays: it does.
        setting: what people would have to change instead, in words; empty where it stays.
        moves: it is made anew under other addresses again and again.
    """

    stays: bool
    setting: str = ""
    moves: bool = False


def lasting(interface: Interface, estate: Estate) -> Lasting:
    """Return whether a group attached to an interface lasts, or which setting would have to name it."""
    owner = estate.owner_of(interface)
    name = interface.label if owner is None else owner.label
    if interface.derived:
        return Lasting(stays=False, setting=f"the setting of {name}, which makes its interfaces")
    if interface.managed_by:
        return Lasting(stays=False, setting=f"the setting of {name}, whose interface {interface.managed_by} keeps")
    if interface.role.lower() not in _USERS:
        return Lasting(stays=False, setting=f"the setting of {name} ({interface.role})")
    if interface.is_pod:
        return Lasting(stays=False, setting=f"the pod template of {name}", moves=True)
    if owner is not None and owner.kind == _SCALE_SET:
        return Lasting(stays=False, setting=f"the model of the scale set {name}", moves=True)
    tags: Mapping[str, str] = {} if owner is None else owner.tags
    for key, words in _MADE_BY if interface.provider == "aws" else ():
        if (made_by := tags.get(key) or interface.tags.get(key)) is not None:
            return Lasting(stays=False, setting=words.format(made_by), moves=key == _SCALES)
    return Lasting(stays=True)
