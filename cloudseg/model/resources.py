"""What every resource of an estate has: a qualified name, a kind, tags, and where it was written."""

from functools import lru_cache
from typing import Literal

import msgspec

__all__ = [
    "Direction",
    "Family",
    "Resource",
    "SourceLocation",
    "labelled",
    "own_id",
    "provider_of",
    "qualified",
    "scope_of",
]

Direction = Literal["ingress", "egress"]
Family = Literal[4, 6]


def qualified(provider: str, scope: str, own: str, region: str | None = None) -> str:
    """Return the estate-wide name of a resource: ``aws:111122223333:eu-west-1:sg-0a1b``.

    Args:
        provider: ``aws``, ``azure``, ``gcp`` or ``kubernetes``.
        scope: account, subscription, project or cluster.
        own: the provider's own id; it may hold any character, colons too.
        region: AWS only, whose ids are unique in a region.
    """
    return f"{provider}:{scope}:{own}" if region is None else f"{provider}:{scope}:{region}:{own}"


# The same few thousand names are taken apart for every rule and every finding.
@lru_cache(maxsize=1 << 17)
def provider_of(identifier: str) -> str:
    """Return the provider part of a qualified name."""
    return identifier.split(":", 1)[0]


@lru_cache(maxsize=1 << 17)
def scope_of(identifier: str) -> str:
    """Return the scope part (account, subscription, project, cluster) of a qualified name."""
    return identifier.split(":", 2)[1]


@lru_cache(maxsize=1 << 17)
def own_id(identifier: str) -> str:
    """Return the provider's own id out of a qualified name."""
    parts = identifier.split(":", 3 if identifier.startswith("aws:") else 2)
    return parts[-1]


def labelled(own: str, name: str) -> str:
    """Return what to call a resource: its own id, followed by its name where that says more.

    Some ids are made of names, such as ``shop/web[Deployment]``. Of a long ARN the name is what people read.
    """
    if not name or name == own or (_holds(own, name) and not own.startswith("arn:")):
        return own
    return f"{own} ({name})"


def _holds(own: str, name: str) -> bool:
    """Tell whether an id made of names and slashes ends with a name, or with the last part of it."""
    bare = own.partition("[")[0].partition(" ")[0]
    return "/" in bare and bare.rpartition("/")[2] == name.rpartition("/")[2]


class SourceLocation(msgspec.Struct, frozen=True):
    """Where a resource is written down: a file of the user's, and a line counted from 1."""

    file: str
    line: int


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """The base of everything in an estate that has an id.

    Attributes:
        id: qualified name, unique in the estate.
        kind: what the provider calls it, in words: ``security-group``, ``network-interface``.
        name: the name people gave it; empty where it has none.
        region: the provider's region, or ``global``.
        tags: tags or labels, as the provider returned them.
        location: where it is written, for estates read from files.
    """

    id: str
    kind: str
    name: str = ""
    region: str = "global"
    tags: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    location: SourceLocation | None = None

    @property
    def provider(self) -> str:
        """The provider that the resource belongs to."""
        return provider_of(self.id)

    @property
    def scope(self) -> str:
        """The account, subscription, project or cluster that the resource belongs to."""
        return scope_of(self.id)

    @property
    def own_id(self) -> str:
        """The provider's own id, as its console and API show it."""
        return own_id(self.id)

    @property
    def label(self) -> str:
        """The own id, followed by the name where that says more."""
        return labelled(self.own_id, self.name)
