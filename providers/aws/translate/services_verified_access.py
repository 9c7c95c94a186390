"""Verified Access endpoints: applications of a VPC, on the internet for users who prove themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.service_settings import shown
from cloudseg.providers.aws.translate.tags import Tag, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_verified_access"]


class _Status(msgspec.Struct, rename="pascal"):
    code: str = ""


class _Options(msgspec.Struct, rename="pascal"):
    subnet_ids: list[str] = []
    network_interface_id: str = ""


class _Endpoint(msgspec.Struct, rename="pascal"):
    verified_access_endpoint_id: str
    application_domain: str = ""
    endpoint_type: str = ""
    attachment_type: str = ""
    security_group_ids: list[str] = []
    load_balancer_options: _Options = msgspec.field(default_factory=_Options)
    network_interface_options: _Options = msgspec.field(default_factory=_Options)
    rds_options: _Options = msgspec.field(default_factory=_Options)
    cidr_options: _Options = msgspec.field(default_factory=_Options)
    status: _Status = msgspec.field(default_factory=_Status)
    tags: list[Tag] = []


def add_verified_access(answers: Answers, places: Places) -> None:
    """Add endpoints. Each is on the internet and asks every caller who they are.

    Its groups are those of its interfaces, from which it reaches the application. Sources:
    https://docs.aws.amazon.com/verified-access/latest/ug/verified-access-endpoints.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VerifiedAccessEndpoint.html
    """
    operation = ("ec2", "describe_verified_access_endpoints")
    for endpoint in answers.each(*operation, "VerifiedAccessEndpoints", _Endpoint, "services.verified-access"):
        if endpoint.status.code in {"deleted", "deleting"}:
            continue
        options = (endpoint.load_balancer_options, endpoint.rds_options, endpoint.cidr_options)
        subnets = places.ids(subnet for option in options for subnet in option.subnet_ids)
        target = places.known([endpoint.network_interface_options.network_interface_id])
        groups = places.ids(endpoint.security_group_ids)
        network = places.network("", subnets, groups)
        if network is None and target:
            network = places.draft.interfaces[target[0]].network
        service = Service(
            id=answers.id(endpoint.verified_access_endpoint_id),
            kind="verified-access-endpoint",
            name=endpoint.application_domain or tags_of(endpoint.tags).get("Name", ""),
            region=answers.region,
            tags=tags_of(endpoint.tags),
            service="verified-access",
            public=True,
            anonymous=False,
            reason="it serves the internet, and asks callers for an identity",
            settings=shown(
                EndpointType=endpoint.endpoint_type,
                AttachmentType=endpoint.attachment_type,
                Status=endpoint.status.code,
            ),
            network=network,
            subnets=subnets,
            groups=groups,
        )
        # Such interfaces are not described by the endpoint that they belong to; the application's are not meant.
        places.add(service, places.carrying(service, "Verified Access"))
