"""Expressions that choose interfaces. They are kept as expressions and evaluated again after every edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from cloudseg.model.topology import Interface

__all__ = [
    "AllOf",
    "AnyOf",
    "Carries",
    "Everything",
    "InNetworks",
    "InSubnets",
    "Labelled",
    "NoneOf",
    "Selector",
    "by_labels",
    "matches",
    "parts_of",
    "required_label",
]


class Everything(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """Every interface."""


class Carries(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """Interfaces to which the identity is attached: a security group, a network tag, an ASG, a service account."""

    identity: str


class InSubnets(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """Interfaces in one of the subnets."""

    subnets: frozenset[str]


class InNetworks(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """Interfaces in one of the networks."""

    networks: frozenset[str]


class Labelled(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """One requirement on a label, with the meaning of Kubernetes label selectors.

    ``NotIn`` and ``DoesNotExist`` also match an interface without the key.
    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#set-based-requirement
    """

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: frozenset[str] = frozenset()


class AllOf(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """Interfaces that every part chooses; without parts, every interface."""

    parts: tuple[Selector, ...]


class AnyOf(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """Interfaces that some part chooses; without parts, none."""

    parts: tuple[Selector, ...]


class NoneOf(msgspec.Struct, frozen=True, tag=True, cache_hash=True):
    """Interfaces that no part chooses; without parts, every interface."""

    parts: tuple[Selector, ...]


Selector = Everything | Carries | InSubnets | InNetworks | Labelled | AllOf | AnyOf | NoneOf


def matches(selector: Selector, interface: Interface) -> bool:  # noqa: C901 - a branch for each kind, asked most often
    """Tell whether the selector chooses the interface."""
    # In the order of how often they are asked: clusters ask for labels hundreds of thousands of times.
    match selector:
        case Labelled():
            return _label_matches(selector, interface.labels.get(selector.key))
        case AllOf():
            labels = interface.labels
            for part in selector.parts:
                # Nearly all parts are labels, and a call for each takes as long again.
                if isinstance(part, Labelled):
                    if not _label_matches(part, labels.get(part.key)):
                        return False
                elif not matches(part, interface):
                    return False
            return True
        case Carries(identity):
            return identity in interface.attached
        case InSubnets(subnets):
            return interface.subnet in subnets
        case InNetworks(networks):
            return interface.network in networks
        case Everything():
            return True
        case AnyOf(parts):
            return any(matches(part, interface) for part in parts)
        case NoneOf(parts):
            return not any(matches(part, interface) for part in parts)


class Parts(NamedTuple):
    """A selector taken apart.

    Attributes:
        labels: labels, key and value, that everything bears which the selector chooses, in the order of its parts.
        others: what it asks besides. It chooses what bears the labels and is chosen by all of these.
    """

    labels: tuple[tuple[str, str], ...]
    others: tuple[Selector, ...]


def parts_of(selector: Selector) -> Parts:
    """Return the labels that a selector requires, and what it asks besides."""
    match selector:
        case Labelled(key, "In", values) if len(values) == 1:
            return Parts(((key, next(iter(values))),), ())
        case AllOf(parts):
            each = [parts_of(part) for part in parts]
            return Parts(
                tuple([label for part in each for label in part.labels]),
                tuple([other for part in each for other in part.others]),
            )
        case _:
            return Parts((), (selector,))


def required_label(selector: Selector) -> tuple[str, str] | None:
    """Return a label, key and value, that everything bears which the selector chooses; None where it requires none."""
    return next(iter(parts_of(selector).labels), None)


def by_labels(selector: Selector) -> bool:
    """Tell whether the selector looks at labels."""
    match selector:
        case Labelled():
            return True
        case AllOf(parts) | AnyOf(parts) | NoneOf(parts):
            return any(by_labels(part) for part in parts)
        case _:
            return False


def _label_matches(requirement: Labelled, value: str | None) -> bool:
    # None is no label's value, so that it is in no set of them.
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
