"""What of an estate a plan is about: segments, environments and remedies, as the command line names them."""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING

from cloudseg.errors import ConfigError
from cloudseg.model import Group, Interface, Network, RuleSet, Service, Subnet, Workload, own_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Resource
    from cloudseg.plan.environments import Environments
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Remedy

__all__ = ["Concerned", "InSegments", "chosen_environments", "chosen_remedies", "mendable"]

_SHOWN = 6


def chosen_remedies(remedies: Sequence[Remedy], only: Iterable[str]) -> tuple[Remedy, ...]:
    """Return the remedies that are asked for, in the order of the table; all of them where none is named.

    Raises:
        ConfigError: there is none of a name.
    """
    names = {remedy.id for remedy in remedies}
    wanted = set(only)
    for name in sorted(wanted):
        _known("remedy", name, names)
    return tuple(remedy for remedy in remedies if not wanted or remedy.id in wanted)


def mendable(checks: Iterable[str], remedies: Sequence[Remedy]) -> None:
    """Make sure that findings of some checks can be mended at all.

    Raises:
        ConfigError: no remedy answers the findings of one of them.
    """
    answered = {check for remedy in remedies for check in remedy.answers}
    for name in checks:
        if name not in answered:
            raise ConfigError(
                f"no remedy answers the findings of {name}: people decide there. Plans mend {_listed(answered)}"
            )


def chosen_environments(names: Iterable[str], environments: Environments) -> frozenset[str]:
    """Return the environments that are asked for, as plans spell them; none where all are.

    Raises:
        ConfigError: no interface bears one of them.
    """
    found: set[str] = set()
    for name in names:
        spelt = environments.named(name)
        if spelt not in environments.known:
            hint = _near(spelt, environments.known) or _listed(environments.known, "there are tags for")
            raise ConfigError(
                f"no interface bears a tag for the environment {name!r}; "
                f"{hint or 'none bears one at all: [labels] names the tags that mean one'}"
            )
        found.add(spelt)
    return frozenset(found)


class Concerned:
    """Tells which interfaces a finding is about.

    Args:
        context: what remedies share.
    """

    def __init__(self, context: RemedyContext) -> None:
        self._context = context

    def by(self, finding: Finding) -> tuple[Interface, ...]:
        """Return the interfaces that a finding is about: those that it tells, else those of its resource."""
        interfaces = self._context.estate.interfaces
        names = [name for own in finding.affected for name in self._by_own_id.get((finding.provider, own), ())]
        if names:
            return tuple(interfaces[name] for name in names)
        resources = self._context.resources(finding)
        return tuple(each for resource in resources for each in self._of(resource))

    def _of(self, resource: Resource) -> Iterable[Interface]:
        estate = self._context.estate
        match resource:
            case Interface():
                return (resource,)
            case RuleSet():
                return estate.governed(resource)
            case Group():
                return estate.members(resource.id)
            case Network():
                return estate.interfaces_in(resource.id)
            case Subnet():
                return [each for each in estate.interfaces_in(resource.network) if each.subnet == resource.id]
            case Service() | Workload():
                return estate.interfaces_of(resource.id)
            case _:
                return ()

    @cached_property
    def _by_own_id(self) -> Mapping[tuple[str, str], Sequence[str]]:
        found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for identifier, interface in self._context.estate.interfaces.items():
            found[interface.provider, own_id(identifier)].append(identifier)
        return found


class InSegments:
    """Tells which findings are about some segments: an interface that one concerns belongs to them.

    Args:
        names: of the segments; none where all are asked for.
        context: what remedies share.
        concerned: tells which interfaces findings are about.

    Raises:
        ConfigError: there is no segment of a name.
    """

    def __init__(self, names: Iterable[str], context: RemedyContext, concerned: Concerned) -> None:
        self._concerned = concerned
        self._wanted = frozenset(names)
        if not self._wanted:
            return
        segmentation = context.segmentation
        for name in sorted(self._wanted):
            if name not in segmentation.members:
                hint = _near(name, segmentation.names) or _listed(segmentation.names, "there are")
                raise ConfigError(
                    f"there is no segment {name!r}; {hint or 'neither an intent nor tags make any: see docs/intent.md'}"
                )
        self._members = frozenset(each for name in self._wanted for each in segmentation.members[name])

    def has(self, finding: Finding) -> bool:
        """Tell whether a finding is about the segments that are asked for."""
        return not self._wanted or any(each.id in self._members for each in self._concerned.by(finding))


def _known(what: str, name: str, names: Iterable[str]) -> None:
    """Make sure that there is something of a name.

    Raises:
        ConfigError: there is not.
    """
    known = sorted(names)
    if name not in known:
        raise ConfigError(f"there is no {what} {name!r}; {_near(name, known) or _listed(known, 'there are')}")


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), 3)
    return f"did you mean {' or '.join(near)}?" if near else ""


def _listed(names: Iterable[str], head: str = "those of") -> str:
    """Return some names in words; nothing where there are none."""
    known = sorted(names)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{head} {', '.join(known[:_SHOWN])}{more}" if known else ""
