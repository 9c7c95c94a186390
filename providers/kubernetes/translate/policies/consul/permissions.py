"""What becomes of a connection where an intention looks at requests.

The first permission that fits a request decides about it; what none fits is left to what holds without an intention. A
connection is admitted where some request may pass. Sources:
https://developer.hashicorp.com/consul/docs/connect/config-entries/service-intentions#permissions and
https://developer.hashicorp.com/consul/docs/connect/intentions#precedence-and-match-order
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.policies.consul.wire import HttpPermission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.policies.consul.wire import Permission, Source

__all__ = ["Outcome", "outcome_of"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE")
_OTHER: Final = "~other~"
"""A part of a path that nobody writes."""

Verdict = Literal["next", "deny", "unknown"]


class Outcome(NamedTuple):
    """What becomes of a connection.

    Attributes:
        verdict: it is let through, denied, or either.
        asks: the requests that it is let through for, in words; empty where it is for all.
    """

    verdict: Verdict
    asks: str = ""


def outcome_of(source: Source, default: Literal["allow", "deny"] | None, *, token: bool) -> Outcome:
    """Return what a source may do.

    Args:
        source: the source.
        default: what becomes of what nothing is said about; None where that is not known.
        token: whether every request needs a token (JWT).

    Raises:
        ParseError: Consul would refuse it.
    """
    permissions = source.permissions or []
    if permissions and source.action:
        raise ParseError("action and permissions stand beside each other")
    asked = "with a token (JWT)" if token else ""
    if not permissions:
        return Outcome("next", asked) if _allows(source.action) else Outcome("deny")
    words = "; ".join(filter(None, (*(_words(each) for each in permissions), asked)))
    verdict = _verdict([(each, _allows(each.action)) for each in permissions], default)
    return Outcome(verdict, "" if verdict == "deny" else words)


def _verdict(permissions: Sequence[tuple[Permission, bool]], default: Literal["allow", "deny"] | None) -> Verdict:
    """Return whether some request passes: one that a permission admits, or the default, and none before it denies."""
    denials: list[Permission] = []
    perhaps = False
    for permission, allows in permissions:
        if not allows:
            denials.append(permission)
            continue
        surely, maybe = _left(permission.http or HttpPermission(), denials)
        if surely:
            return "next"
        perhaps = perhaps or maybe
    surely, maybe = _left(HttpPermission(), denials)
    if default == "allow" and surely:
        return "next"
    return "unknown" if perhaps or (default != "deny" and maybe) else "deny"


def _left(asked: HttpPermission, denials: Sequence[Permission]) -> tuple[bool, bool]:
    """Tell whether some request that is asked for surely, or perhaps, fits none of the denials.

    Requests are tried that differ most from each other: the path itself and one below it, by every method.
    """
    paths = (
        [asked.path_exact] if asked.path_exact else [asked.path_prefix or "/", f"{asked.path_prefix or '/'}{_OTHER}"]
    )
    surely, maybe = False, False
    for path in [None] if asked.path_regex else paths:
        for method in asked.methods or _METHODS:
            fits = [_fits(each, path, method) for each in denials]
            surely = surely or all(fit is False for fit in fits)
            maybe = maybe or not any(fit is True for fit in fits)
    return surely, maybe


def _fits(permission: Permission, path: str | None, method: str) -> bool | None:
    """Tell whether a request fits a permission; None where that is not known."""
    http = permission.http or HttpPermission()
    if http.methods and method not in http.methods:
        return False
    unknown = bool(http.header or permission.jwt)
    if http.path_exact or (http.path_prefix and http.path_prefix != "/"):
        if path is None:
            return None
        if not (path == http.path_exact if http.path_exact else path.startswith(http.path_prefix or "")):
            return False
    return None if http.path_regex or unknown else True


def _allows(action: str | None) -> bool:
    if action not in {"allow", "deny"}:
        raise ParseError(f"action {action!r} is neither allow nor deny")
    return action == "allow"


def _words(permission: Permission) -> str:
    http = permission.http
    if http is None or not any((http.path_exact, http.path_prefix, http.path_regex, http.header, http.methods)):
        raise ParseError("a permission names no requests")
    if sum(map(bool, (http.path_exact, http.path_prefix, http.path_regex))) > 1:
        raise ParseError("a permission names more than one of pathExact, pathPrefix and pathRegex")
    asked = f"HTTP: {permission.action} {' '.join(_asked(http))}"
    return f"{asked} with a token (JWT)" if permission.jwt else asked


def _asked(http: HttpPermission) -> Iterator[str]:
    yield _listed(http.methods or ())
    path = http.path_exact or (f"{http.path_prefix}*" if http.path_prefix else http.path_regex)
    if path:
        yield path
    if http.header:
        yield f"with header {_listed([each.name for each in http.header])}"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(texts) or "any method"
