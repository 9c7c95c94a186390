"""Service perimeters: what of a project's services nobody outside of them reaches, whatever policies say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import scope_of
from cloudseg.providers.gcp.ids import PROVIDER, name_of, project_of, scope_name, tail_of
from cloudseg.providers.gcp.translate.access_levels import Admits, add_up, levels_of
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloudseg.model import Service
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_perimeters"]

_FACET: Final = "services.gcs"
_GUARDED: Final = {"gcs": "storage.googleapis.com", "bigquery": "bigquery.googleapis.com"}
"""The families whose data is asked for by their API alone, which a perimeter guards. What has an address or a URL of
its own is reached by it all the same. Source: https://cloud.google.com/vpc-service-controls/docs/supported-products"""
_EVERYBODY: Final = "*"


class _Source(msgspec.Struct, rename="camel"):
    access_level: str | None = None
    resource: str | None = None


class _From(msgspec.Struct, rename="camel"):
    identity_type: str | None = None
    identities: list[str] | None = None
    sources: list[_Source] | None = None


class _Operation(msgspec.Struct, rename="camel"):
    service_name: str = ""


class _To(msgspec.Struct, rename="camel"):
    operations: list[_Operation] | None = None
    resources: list[str] | None = None


class _Ingress(msgspec.Struct, rename="camel"):
    ingress_from: _From | None = None
    ingress_to: _To | None = None


class _Status(msgspec.Struct, rename="camel"):
    resources: list[str] | None = None
    restricted_services: list[str] | None = None
    access_levels: list[str] | None = None
    ingress_policies: list[_Ingress] | None = None


class _Perimeter(msgspec.Struct, rename="camel"):
    name: str = ""
    title: str = ""
    perimeter_type: str | None = None
    # What is tried without effect stands in ``spec``.
    status: _Status | None = None


class _Project(msgspec.Struct, rename="camel"):
    name: str = ""
    project_id: str = ""
    project_number: str | int = ""


class _Opening(NamedTuple):
    """Whom one part of a perimeter admits from outside.

    Attributes:
        admits: the addresses.
        anonymous: callers need not show who they are.
        words: what admits them, for people.
    """

    admits: Admits
    anonymous: bool
    words: str


def add_perimeters(answers: Answers, draft: Draft) -> None:
    """Let perimeters decide over the services of a project that they guard; services have to be there already.

    A guarded service answers calls from within its perimeter alone, and besides those that an access level or a rule
    for what comes in admits; policies of the service still have to do so, too. A perimeter that is tried without effect
    guards nothing, nor does a bridge; where none was read, services are as public as they say. Sources:
    https://cloud.google.com/vpc-service-controls/docs/service-perimeters,
    https://cloud.google.com/vpc-service-controls/docs/ingress-egress-rules and
    https://cloud.google.com/access-context-manager/docs/reference/rest/v1/accessPolicies.servicePerimeters
    """
    for wire in answers.listed("cloudresourcemanager", "projects", _Project, "networks"):
        number = str(wire.project_number) or name_of(wire.name)
        if number.isdigit() and wire.project_id == answers.scope:
            draft.numbers.setdefault(number, answers.scope)
    answers.has("accesscontextmanager", "access_policies")
    levels = levels_of(answers)
    for perimeter in answers.listed("accesscontextmanager", "service_perimeters", _Perimeter, _FACET):
        status = perimeter.status or _Status()
        if (perimeter.perimeter_type or "").upper() == "PERIMETER_TYPE_BRIDGE":
            continue
        own = [each for each in status.resources or () if _is(draft, each, answers.scope)]
        if not own:
            continue
        guarded = set(status.restricted_services or ())
        name = f"the service perimeter {perimeter.title or name_of(perimeter.name)}"
        for identifier, service in draft.services.items():
            api = _GUARDED.get(service.service, "")
            if api in guarded and (service.provider, scope_of(identifier)) == (PROVIDER, scope_name(answers.scope)):
                found = tuple(_openings(draft, status, api, answers.scope, levels))
                draft.services[identifier] = _decided(service, found, name)


def _is(draft: Draft, resource: str, project: str) -> bool:
    """Tell whether a perimeter names a project: by number, as it always does, or by id."""
    parts = tail_of(resource).split("/")
    return len(parts) == 2 and parts[0] == "projects" and draft.project(project_of(resource)) == project


def _openings(
    draft: Draft, status: _Status, api: str, project: str, levels: Mapping[str, Admits]
) -> Iterator[_Opening]:
    for name in status.access_levels or ():
        yield _Opening(_of_level(levels, name), anonymous=True, words=f"the access level {name_of(name)}")
    for ingress in status.ingress_policies or ():
        source, target = ingress.ingress_from or _From(), ingress.ingress_to or _To()
        services = {each.service_name for each in target.operations or ()}
        concerned = any(each == _EVERYBODY or _is(draft, each, project) for each in target.resources or ())
        kind = (source.identity_type or "").upper()
        if not concerned or not services & {api, _EVERYBODY} or kind in {"", "IDENTITY_TYPE_UNSPECIFIED"}:
            # Identities that it names are not anybody.
            continue
        admits = add_up(_sources(source, levels))
        yield _Opening(admits, anonymous=kind == "ANY_IDENTITY", words=f"a rule for what comes in, for {kind}")


def _sources(source: _From, levels: Mapping[str, Admits]) -> Iterator[Admits]:
    if not source.sources:
        yield Admits(ALL_ADDRESSES, sure=False)
    for each in source.sources or ():
        if each.access_level == _EVERYBODY:
            yield Admits(ALL_ADDRESSES)
        elif each.access_level:
            yield _of_level(levels, each.access_level)


def _of_level(levels: Mapping[str, Admits], name: str) -> Admits:
    return levels.get(name, Admits(ALL_ADDRESSES, sure=False))


def _decided(service: Service, openings: Iterable[_Opening], name: str) -> Service:
    found = [each for each in openings if each.admits.addresses]
    admits = add_up(each.admits for each in found)
    sources = service.sources & admits.addresses if service.public is not False else NO_ADDRESSES
    told = msgspec.structs.replace(
        service, sources=sources, settings={**service.settings, "servicePerimeter": name.rpartition(" ")[2]}
    )
    if not found:
        reason = f"{service.reason}; {name} admits nobody from the internet"
        return msgspec.structs.replace(told, public=False, reason=reason)
    words = "; ".join(dict.fromkeys(each.words for each in found))
    # Which of them a caller meets, and with what, is known where all of it is about addresses alone.
    public = service.public if admits.sure else None
    return msgspec.structs.replace(
        told,
        public=False if service.public is False or not sources else public,
        anonymous=service.anonymous if any(each.anonymous for each in found) else False,
        reason=f"{service.reason}; {name} admits from the internet: {words}",
    )
