"""Snapshots of one project with answers about managed services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudseg.cli.sources import translate
from cloudseg.snapshot import Part, Snapshot

if TYPE_CHECKING:
    from cloudseg.model import Estate, Service

__all__ = ["NUMBER", "PROJECT", "answered", "asset", "bindings", "estate", "only"]

PROJECT = "shop"
NUMBER = "1001"


def asset(service: str, tail: str, **fields: Any) -> dict[str, Any]:
    """A resource as the inventory returns it; ``tail`` is its place below the project."""
    name = f"//{service}.googleapis.com/projects/{PROJECT}/{tail}"
    return {"assetName": name, "assetType": service, **fields}


def bindings(name: str, *members: tuple[str, str], condition: bool = False) -> dict[str, Any]:
    """A policy with roles and members; ``name`` is the full name of what it is about."""
    found: list[dict[str, Any]] = [{"role": role, "members": [member]} for role, member in members]
    if condition:
        found = [
            each | {"condition": {"expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}} for each in found
        ]
    return {"assetName": name, "bindings": found}


def answered(answers: dict[str, list[Any]]) -> Snapshot:
    """Answers by ``service.operation``."""
    parts = {
        Part("gcp", PROJECT, "global", *name.split(".", 1)): {"items": items}  # type: ignore[misc]  # two of them
        for name, items in answers.items()
    }
    return Snapshot.of(parts)


def estate(answers: dict[str, list[Any]]) -> Estate:
    return translate(answered(answers))


def only(answers: dict[str, list[Any]]) -> Service:
    """The one service that the answers describe."""
    (found,) = estate(answers).services.values()
    return found
