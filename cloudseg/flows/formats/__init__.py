"""The formats of flow logs, one file each: how to tell one, and how to read it as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.flows.formats.aws_tgw import AWS_TGW
from cloudseg.flows.formats.aws_vpc import AWS_VPC
from cloudseg.flows.formats.azure_nsg import AZURE_NSG
from cloudseg.flows.formats.azure_vnet import AZURE_VNET
from cloudseg.flows.formats.gcp_vpc import GCP_VPC
from cloudseg.flows.formats.hubble import HUBBLE

if TYPE_CHECKING:
    from cloudseg.flows.formats.interface import Format

__all__ = ["FORMATS"]

FORMATS: Final[tuple[Format, ...]] = (AWS_VPC, AWS_TGW, AZURE_VNET, AZURE_NSG, GCP_VPC, HUBBLE)
"""Every format, in the order in which a file is asked whether it is one."""
