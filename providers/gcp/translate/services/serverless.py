"""Services of Cloud Run, and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from cloudseg.providers.gcp.ids import tail_of
from cloudseg.providers.gcp.translate.services.building import Access, Asset, closed, service, shown
from cloudseg.providers.gcp.translate.services.iam import open_to
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.providers.gcp.translate.services.iam import Policies

__all__ = ["BALANCED", "add_functions", "add_run_services"]

BALANCED: Final = ": it is public where a load balancer leads to it"
"""What is said of a service that has no public end of its own, behind its settings."""

_RUN: Final = "services.run"
_FUNCTIONS: Final = "services.functions"
_INGRESS: Final = "run.googleapis.com/ingress"
_NO_INVOKER: Final = "run.googleapis.com/invoker-iam-disabled"
_NO_URL: Final = "run.googleapis.com/default-url-disabled"
_DIRECT: Final = ("networkInterfaces", "run.googleapis.com/network-interfaces")
_LOCATION: Final = "cloud.googleapis.com/location"
_INVOKERS: Final = frozenset(("roles/run.invoker", "roles/cloudfunctions.invoker", "roles/run.servicesInvoker"))
_ADMINS: Final = frozenset(("roles/run.admin", "roles/cloudfunctions.admin", "roles/owner", "roles/editor"))
_ALL: Final = frozenset(("all", "ingress_traffic_all", "allow_all"))
_INSIDE: Final = frozenset(("internal", "ingress_traffic_internal_only", "allow_internal_only"))
_BALANCED: Final = frozenset(
    (
        "internal-and-cloud-load-balancing",
        "ingress_traffic_internal_load_balancer",
        "allow_internal_and_gclb",
    )
)


class _Metadata(msgspec.Struct):
    name: str = ""
    annotations: dict[str, object] | None = None
    labels: dict[str, object] | None = None


class _RunService(Asset, kw_only=True, rename="camel"):
    # The older shape is that of Knative.
    metadata: _Metadata | None = None
    ingress: str | None = None
    invoker_iam_disabled: bool | None = None
    default_uri_disabled: bool | None = None
    # Whatever shape the template has, interfaces in a network stand in it under their own name.
    template: object = None
    spec: object = None


class _ServiceConfig(msgspec.Struct, rename="camel"):
    ingress_settings: str | None = None
    service: str | None = None


class _Function(Asset, kw_only=True, rename="camel"):
    https_trigger: object = None
    ingress_settings: str | None = None
    service_config: _ServiceConfig | None = None


def add_run_services(answers: Answers, draft: Draft) -> None:
    """Add the services of Cloud Run: from where they are reached, and whether callers have to show who they are.

    Sources: https://cloud.google.com/run/docs/securing/ingress and
    https://cloud.google.com/run/docs/authenticating/public
    """
    policies = open_to(answers, "run", "service_iam_policies", _RUN)
    for wire in answers.listed("run", "services", _RunService, _RUN):
        metadata = wire.metadata or _Metadata()
        notes = metadata.annotations or {}
        ingress = str(wire.ingress or notes.get(_INGRESS) or "all")
        unguarded = wire.invoker_iam_disabled is True or str(notes.get(_NO_INVOKER, "")).lower() == "true"
        hidden = wire.default_uri_disabled is True or str(notes.get(_NO_URL, "")).lower() == "true"
        link = wire.asset_name or wire.self_link or wire.name
        found = service(
            answers, wire, "run", "run", "cloud-run-service",
            _told(_reached(ingress, "ingress", hidden=hidden), policies, link),
            name=metadata.name, place=str((metadata.labels or {}).get(_LOCATION) or ""),
            tags=metadata.labels if wire.labels is None else wire.labels,
            anonymous=True if unguarded else _anonymous(policies, link), any_account=_any_account(policies, link),
            settings=shown(ingress=ingress, invokerIamDisabled=unguarded or None),
        )  # fmt: skip
        draft.put(draft.services, found, answers.scope)
        if _stands_in_network((wire.template, wire.spec)):
            answers.note(f"{found.name}: what it reaches in its network by Direct VPC egress is judged nowhere")


def _stands_in_network(value: object) -> bool:
    """Tell whether a template has interfaces in a network, by the field or by the older annotation.

    Source: https://cloud.google.com/run/docs/configuring/vpc-direct-vpc
    """
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return any(fields.get(name) for name in _DIRECT) or any(map(_stands_in_network, fields.values()))
    return isinstance(value, list | tuple) and any(map(_stands_in_network, cast("list[object]", value)))


def add_functions(answers: Answers, draft: Draft) -> None:
    """Add the functions that have a URL; those of the second generation are called as services of Cloud Run.

    Source: https://cloud.google.com/functions/docs/networking/network-settings
    """
    own = open_to(answers, "cloudfunctions", "function_iam_policies", _FUNCTIONS)
    below = open_to(answers, "run", "service_iam_policies", _FUNCTIONS)
    for wire in answers.listed("cloudfunctions", "functions", _Function, _FUNCTIONS):
        if wire.https_trigger is None and wire.service_config is None:
            # Events call it, and nobody else can.
            continue
        config = wire.service_config or _ServiceConfig()
        ingress = config.ingress_settings or wire.ingress_settings or "ALLOW_ALL"
        link = wire.asset_name or wire.name
        policies, called = (below, config.service) if config.service else (own, link)
        found = service(
            answers, wire, "cloudfunctions", "functions", "cloud-function",
            _told(_reached(ingress, "ingressSettings"), policies, called),
            anonymous=_anonymous(policies, called), any_account=_any_account(policies, called),
            settings=shown(ingressSettings=ingress),
        )  # fmt: skip
        draft.put(draft.services, found, answers.scope)


def _reached(ingress: str, setting: str, *, hidden: bool = False) -> Access:
    """Return from where a service is reached. A load balancer that leads to it is one of its own, if there is any.

    Args:
        ingress: whom its setting lets in.
        setting: what that is called.
        hidden: the URL that Google gives to it is turned off.
    """
    words = f"{setting} is {ingress}"
    if ingress.lower() in _INSIDE:
        return closed(words)
    if ingress.lower() in _ALL and not hidden:
        return Access(public=True, sources=ALL_ADDRESSES, reason=words)
    if ingress.lower() in _ALL | _BALANCED:
        off = ", its own URL is turned off" if hidden else ""
        return Access(public=None, reason=f"{words}{off}{BALANCED}")
    return Access(public=None, reason=f"{words}, which is not known")


def _told(access: Access, policies: Policies, link: str) -> Access:
    """Return who may address a service with what its policy says of everybody, in words."""
    found = policies.of(tail_of(link))
    return access if found is None or not found.words else access._replace(reason=f"{access.reason}; {found.words}")


def _any_account(policies: Policies, link: str) -> bool:
    """Tell whether anybody who has an account may call; a role of the user's own may hold the permission.

    Source: https://cloud.google.com/iam/docs/principals-overview#all-authenticated-users
    """
    found = policies.of(tail_of(link))
    roles = () if found is None else found.account_roles
    return any(role in _INVOKERS | _ADMINS or not role.startswith("roles/") for role in roles)


def _anonymous(policies: Policies, link: str) -> bool | None:
    """Tell whether everybody may call; None where the policies were not read, or it depends on a condition."""
    found = policies.of(tail_of(link))
    if found is None:
        return None
    if not set(found.roles) & _INVOKERS:
        # A role of the user's own may hold the permission.
        return None if any(not role.startswith("roles/") for role in found.roles) else bool(set(found.roles) & _ADMINS)
    return None if found.conditional else True
