"""API Gateway: REST, HTTP and WebSocket APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.arns import arn
from cloudseg.providers.aws.translate.policies import admission, statements_of
from cloudseg.providers.aws.translate.service_settings import shown
from cloudseg.traffic import ALL_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_apigateway"]

_FACET = "services.apigateway"
_CUSTOM_DOMAINS = "its own endpoint is off; custom domains, which were not read, may lead to it"


class _EndpointConfiguration(msgspec.Struct, rename="camel"):
    types: list[str] = []


class _RestApi(msgspec.Struct, rename="camel"):
    id: str
    name: str = ""
    policy: str | None = None
    disable_execute_api_endpoint: bool = False
    endpoint_configuration: _EndpointConfiguration = msgspec.field(default_factory=_EndpointConfiguration)
    tags: dict[str, str] = {}


class _HttpApi(msgspec.Struct, rename="pascal"):
    api_id: str
    name: str = ""
    protocol_type: str = ""
    disable_execute_api_endpoint: bool = False
    tags: dict[str, str] = {}


def add_apigateway(answers: Answers, places: Places) -> None:
    """Add APIs. Whether they ask for credentials is up to each method, which is not read.

    A REST API is on the internet unless its type is PRIVATE, an HTTP or WebSocket API always is; the resource policy of
    a REST API can limit who gets in. Sources:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-endpoint-types.html
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html
    https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html
    """
    for api in answers.each("apigateway", "get_rest_apis", "items", _RestApi, _FACET):
        places.add(_rest_api(answers, api))
    for http in answers.each("apigatewayv2", "get_apis", "Items", _HttpApi, _FACET):
        off = http.disable_execute_api_endpoint
        places.add(
            Service(
                id=answers.id(arn(answers, "apigateway", f"/apis/{http.api_id}", account=False)),
                kind="websocket-api" if http.protocol_type == "WEBSOCKET" else "http-api",
                name=http.name,
                region=answers.region,
                tags=http.tags,
                service="apigateway",
                public=None if off else True,
                reason=_CUSTOM_DOMAINS if off else "HTTP and WebSocket APIs are on the internet",
                settings=shown(ProtocolType=http.protocol_type, DisableExecuteApiEndpoint=off),
            )
        )


def _rest_api(answers: Answers, api: _RestApi) -> Service:
    types = api.endpoint_configuration.types
    public: bool | None = True
    sources, anonymous, reason = _policy(answers, api)
    reason = f"its endpoint type is {' and '.join(types) or 'not given, which is EDGE'}; {reason}"
    if types == ["PRIVATE"] or not sources:
        public = False
    elif api.disable_execute_api_endpoint:
        public, reason = None, _CUSTOM_DOMAINS
    return Service(
        id=answers.id(arn(answers, "apigateway", f"/restapis/{api.id}", account=False)),
        kind="rest-api",
        name=api.name,
        region=answers.region,
        tags=api.tags,
        service="apigateway",
        public=public,
        sources=sources,
        anonymous=anonymous,
        reason=reason,
        settings=shown(
            types=", ".join(types), policy=api.policy, disableExecuteApiEndpoint=api.disable_execute_api_endpoint
        ),
    )


def _policy(answers: Answers, api: _RestApi) -> tuple[AddressSet, bool | None, str]:
    """Return the addresses that the policy admits, whether it asks for credentials, and why."""
    if not api.policy:
        return ALL_ADDRESSES, None, "it has no resource policy"
    statements = statements_of(api.policy)
    admitted = None if statements is None else admission(statements)
    if admitted is None:
        answers.gap("apigateway.get_rest_apis", api.id, "malformed", "policy is no policy that can be read", _FACET)
        return ALL_ADDRESSES, None, "its resource policy cannot be read"
    if admitted.anonymous:
        return admitted.named, None, f"its resource policy lets anyone in from {admitted.anonymous}"
    if admitted.named:
        return admitted.named, False, "its resource policy lets named principals in only"
    return admitted.named, False, "its resource policy lets nobody in from outside"
