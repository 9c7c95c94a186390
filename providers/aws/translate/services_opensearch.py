"""OpenSearch domains, also as the older Elasticsearch API answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.arns import arn, named
from cloudseg.providers.aws.translate.policies import admission, concerning, statements_of
from cloudseg.providers.aws.translate.service_settings import shown
from cloudseg.traffic import ALL_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_opensearch"]

_FACET = "services.opensearch"
# What reaches the data; every other action manages the domain over AWS's own API, with credentials:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonopensearchservice.html
_DATA = ("es:ESHttp", "es:ESCrossCluster")
_OPERATIONS = (("opensearch", "describe_domains"), ("es", "describe_elasticsearch_domains"))


class _VpcOptions(msgspec.Struct, rename="pascal"):
    vpc_id: str = msgspec.field(default="", name="VPCId")
    subnet_ids: list[str] = []
    security_group_ids: list[str] = []


class _AdvancedSecurity(msgspec.Struct, rename="pascal"):
    enabled: bool = False
    anonymous_auth_enabled: bool = False


class _Domain(msgspec.Struct, rename="pascal"):
    domain_name: str
    arn: str = msgspec.field(default="", name="ARN")
    deleted: bool = False
    endpoint: str = ""
    endpoints: dict[str, str] = {}
    access_policies: str = ""
    vpc_options: _VpcOptions | None = msgspec.field(default=None, name="VPCOptions")
    advanced_security_options: _AdvancedSecurity = msgspec.field(default_factory=_AdvancedSecurity)


class _Listed(msgspec.Struct, rename="pascal"):
    domain_name: str


class _Access(msgspec.Struct):
    sources: AddressSet
    anonymous: bool | None
    reason: str


def add_opensearch(answers: Answers, places: Places) -> None:
    """Add domains: in a VPC, or with a public endpoint whose access policy says who gets in.

    A domain has one or the other for life. An access policy that names ``*`` lets anonymous callers in, unless
    fine-grained access control asks them who they are. Sources:
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/vpc.html
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html
    """
    described: set[str] = set()
    for operation in _OPERATIONS:
        for domain in answers.each(*operation, "DomainStatusList", _Domain, _FACET):
            described.add(domain.domain_name)
            if domain.deleted and not domain.endpoint and not domain.endpoints:
                answers.note(f"{answers.scope} {answers.region}: OpenSearch domain {domain.domain_name} is deleted")
                continue
            service = _domain(answers, places, operation, domain)
            text = f"ES {domain.domain_name}"
            places.add(service, places.described(text))
    if answers.failed("opensearch", "describe_domains") is None:
        for listed in answers.each("opensearch", "list_domain_names", "DomainNames", _Listed, _FACET):
            if listed.domain_name not in described:
                detail = "the domain is listed, but was not described"
                answers.gap("opensearch.describe_domains", listed.domain_name, "unread", detail, _FACET)


def _domain(answers: Answers, places: Places, operation: tuple[str, str], domain: _Domain) -> Service:
    vpc = domain.vpc_options or _VpcOptions()
    subnets, groups = places.ids(vpc.subnet_ids), places.ids(vpc.security_group_ids)
    access = _access(answers, operation, domain)
    public, reason = True, f"a public endpoint; {access.reason}"
    if vpc.vpc_id or subnets or "vpc" in domain.endpoints:
        public, reason = False, f"its endpoint is in a VPC; {access.reason}"
    elif not access.sources:
        public, reason = False, f"its access policy lets nobody in from outside; {access.reason}"
    return Service(
        id=answers.id(named(domain.arn, arn(answers, "es", f"domain/{domain.domain_name}"))),
        kind="opensearch-domain",
        name=domain.domain_name,
        region=answers.region,
        service="opensearch",
        public=public,
        sources=access.sources,
        anonymous=access.anonymous,
        reason=reason,
        settings=shown(
            VPCId=vpc.vpc_id,
            AccessPolicies=domain.access_policies,
            AdvancedSecurityOptions=domain.advanced_security_options.enabled,
        ),
        network=places.network(vpc.vpc_id, subnets, groups),
        subnets=subnets,
        groups=groups,
    )


def _access(answers: Answers, operation: tuple[str, str], domain: _Domain) -> _Access:
    if not domain.access_policies:
        return _Access(ALL_ADDRESSES, anonymous=False, reason="without an access policy, callers need credentials")
    statements = statements_of(domain.access_policies)
    data = None if statements is None else concerning(statements, *_DATA)
    admitted = None if data is None else admission(data)
    if admitted is None:
        answers.gap(
            ".".join(operation), domain.domain_name, "malformed", "AccessPolicies is no policy that can be read", _FACET
        )
        return _Access(ALL_ADDRESSES, anonymous=None, reason="its access policy cannot be read")
    if not any(statement.allows for statement in data or ()):
        reason = "its access policy is about managing the domain, callers of its data need credentials"
        return _Access(ALL_ADDRESSES, anonymous=False, reason=reason)
    security = domain.advanced_security_options
    if not admitted.anonymous:
        return _Access(admitted.named, anonymous=False, reason="its access policy lets named principals in only")
    if security.enabled and not security.anonymous_auth_enabled:
        return _Access(
            admitted.named, anonymous=False, reason="its access policy is open, fine-grained access control asks who"
        )
    return _Access(admitted.named, anonymous=True, reason=f"its access policy lets anyone in from {admitted.anonymous}")
