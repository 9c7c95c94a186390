"""Kinds of Kubernetes objects: where a snapshot keeps them, and which of them an audit judges."""

from __future__ import annotations

from typing import Final

__all__ = ["JUDGED", "SECRET", "group_of", "plural_of", "qualified_kind"]

SECRET: Final = "Secret"  # noqa: S105 - the name of a kind

JUDGED: Final = frozenset(
    (
        ("", "Namespace"),
        ("", "Node"),
        ("", "Pod"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
        ("networking.k8s.io", "NetworkPolicy"),
    )
)
"""API group and kind of what an audit reads; other kinds are kept in the snapshot and counted."""

_PLURALS: Final = {"endpoints": "endpoints", "serviceintentions": "serviceintentions"}
_HISSING: Final = ("s", "x", "z", "ch", "sh")


def group_of(api_version: str) -> str:
    """Return the API group of an ``apiVersion``; empty for the core group, which is written ``v1``."""
    group, slash, _ = api_version.rpartition("/")
    return group if slash else ""


def plural_of(kind: str) -> str:
    """Return the plural of a kind in lower case, by the rules of English: ``networkpolicies``, ``gateways``.

    Kubernetes guesses alike where nothing is registered:
    https://pkg.go.dev/k8s.io/apimachinery/pkg/api/meta#UnsafeGuessKindToResource.
    """
    name = kind.lower()
    if name in _PLURALS:
        return _PLURALS[name]
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(_HISSING) else f"{name}s"


def qualified_kind(group: str, kind: str) -> str:
    """Return a kind with its API group, as kubectl writes it: ``Pod``, ``NetworkPolicy.networking.k8s.io``."""
    return f"{kind}.{group}" if group else kind
