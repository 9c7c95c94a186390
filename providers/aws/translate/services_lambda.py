"""Lambda functions: their URLs, and the VPC that they are attached to."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.arns import arn, named
from cloudseg.providers.aws.translate.service_settings import shown

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_lambda"]

_FACET = "services.lambda"
_DESCRIPTION = "AWS Lambda VPC ENI"


class _VpcConfig(msgspec.Struct, rename="pascal"):
    vpc_id: str = ""
    subnet_ids: list[str] = []
    security_group_ids: list[str] = []


class _Function(msgspec.Struct, rename="pascal"):
    function_name: str
    function_arn: str = ""
    vpc_config: _VpcConfig | None = None


class _Url(msgspec.Struct, rename="pascal"):
    function_url: str = ""
    function_arn: str = ""
    auth_type: str = ""


def add_lambda(answers: Answers, places: Places) -> None:
    """Add functions. A function URL is on the internet; with the type NONE it answers without credentials.

    The function's own policy has to agree, which is not read: anonymous is an upper bound. A ``VpcConfig`` that is
    missing, empty or without a VPC means that the function is in none. Functions of equal subnets and groups share
    their interfaces. Sources: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionUrlConfig.html
    """
    operation = "list_function_url_configs"
    urls: defaultdict[str, list[_Url]] = defaultdict(list)
    for resource, url in answers.each_of("lambda", operation, "FunctionUrlConfigs", _Url, _FACET):
        urls[resource or _name_in(url.function_arn)].append(url)
    asked = answers.resources("lambda", operation)
    for function in answers.each("lambda", "list_functions", "Functions", _Function, _FACET):
        name = function.function_name
        whole = name in asked and answers.intact("lambda", operation, name)
        service = _function(answers, places, function, urls[name], urls_read=whole)
        own = f"{_DESCRIPTION}-{name}-"
        found = places.carrying(service, own) or places.carrying(service, _DESCRIPTION)
        places.add(service, found)


def _name_in(function_arn: str) -> str:
    parts = function_arn.split(":")
    return parts[6] if len(parts) > 6 else ""


def _function(answers: Answers, places: Places, function: _Function, urls: list[_Url], *, urls_read: bool) -> Service:
    vpc = function.vpc_config or _VpcConfig()
    subnets, groups = places.ids(vpc.subnet_ids), places.ids(vpc.security_group_ids)
    public: bool | None
    anonymous: bool | None
    if urls:
        public, anonymous = True, any(url.auth_type != "AWS_IAM" for url in urls)
        reason = f"a function URL, with authentication {', '.join(sorted({url.auth_type for url in urls}))}"
    elif urls_read:
        public, anonymous, reason = False, False, "it has no function URL"
    else:
        public, anonymous, reason = None, None, "its function URLs were not read"
    return Service(
        id=answers.id(named(function.function_arn, arn(answers, "lambda", f"function:{function.function_name}"))),
        kind="lambda-function",
        name=function.function_name,
        region=answers.region,
        service="lambda",
        public=public,
        anonymous=anonymous,
        reason=reason,
        settings=shown(VpcId=vpc.vpc_id, AuthType=", ".join(sorted({url.auth_type for url in urls}))),
        network=places.network(vpc.vpc_id, subnets, groups),
        subnets=subnets,
        groups=groups,
    )
