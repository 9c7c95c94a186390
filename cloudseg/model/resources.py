"""What every resource of an estate has: a qualified name, a kind, tags, and where it was written."""

import re
from functools import lru_cache
from typing import Final, Literal

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
    "shown_id",
    "unplaced",
]

_AT: Final = "@"
_ARM: Final = "/subscriptions/"
_PLACED: Final = re.compile(r"([a-z]+/)?(?:zones|regions|locations)/([a-z]+-[a-z]+\d[a-z0-9-]*)/([A-Za-z]+)/(.+)")
"""How ids of Google Cloud begin that are in a zone or a region."""
_PLAIN_KINDS: Final = frozenset(("instances", "subnetworks"))
_PARTS: Final = {
    "ipconfigurations": "address",
    "privateendpoints": "private endpoints",
    "systemroutes": "system routes",
    "systemroutes-gateway": "system routes of the gateways",
}
"""What parts of ARM resources are called that have no name of their own."""

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
    """Return the provider's own id out of a qualified name: the same for all the places of one resource."""
    return unplaced(identifier).split(":", 3 if identifier.startswith("aws:") else 2)[-1]


def unplaced(identifier: str) -> str:
    """Return a qualified name without the place at which the resource stands.

    What is one for the provider and several in the estate, since it means something else at each of its places, bears
    the place behind its id: ``azure:<subscription>:…/networksecuritygroups/web@subnets-rg/vnet/web``. No name of
    Azure's holds the sign; the pods of a workload that stand in several places are several for everybody. Source:
    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules

    A firewall policy of Google Cloud bears the network behind two of them, since one stands in accounts' names.
    """
    if identifier.startswith("azure:"):
        return identifier.partition(_AT)[0]
    return identifier.partition(_AT * 2)[0] if identifier.startswith("gcp:") else identifier


# Thousands of findings are about the same few lists, and several checks about one rule.
@lru_cache(maxsize=1 << 14)
def labelled(own: str, name: str) -> str:
    """Return what to call a resource: its own id, followed by its name where that says more.

    Some ids are made of names, such as ``shop/web[Deployment]``. Of a long ARN the name is what people read.
    """
    if own.startswith(_ARM):
        return _of_arm(own, name)
    if placed := _PLACED.fullmatch(own):
        return _in_place(placed, name)
    if not name or name == own or (_holds(own, name) and not own.startswith("arn:")):
        return own
    return f"{own} ({name})"


@lru_cache(maxsize=1 << 17)
def shown_id(identifier: str) -> str:
    """Return what texts call a resource by its qualified name alone: its own id, and of a long one the names in it."""
    own = own_id(identifier)
    return labelled(own, "") if _is_long(own) else own


def _of_arm(own: str, name: str) -> str:
    """Return what to call an ARM resource: its name, behind those of what it is part of, and its resource group.

    ``vnet-hub/web (rg-net)`` for ``…/resourcegroups/rg-net/…/virtualnetworks/vnet-hub/subnets/web``.
    """
    _, _, rest = own.partition("/resourcegroups/")
    group, _, path = rest.partition("/providers/")
    # The provider, then kinds and names in turn; at the end perhaps a part that has no name.
    names = path.split("/")[2::2]
    if not names:
        return own
    if name and f"{group}/{names[-1]}" in name.lower():
        return name
    lower = name.lower()
    shown = f"{'/'.join((*names[:-1], name if lower == names[-1] else names[-1]))} ({group})"
    # A machine's name often begins that of its interface.
    if lower in names[-1]:
        part = " ".join(path.split("/")[1 + 2 * len(names) :])
        return f"{_PARTS.get(part, part)} of {shown}" if part else shown
    return f"{shown}: {name}"


def _is_long(own: str) -> bool:
    """Tell whether an own id is one of which texts show the names alone."""
    return own.startswith(_ARM) or _PLACED.fullmatch(own) is not None


def _in_place(placed: re.Match[str], name: str) -> str:
    """Return what to call a resource of Google Cloud in a zone or a region: its names, and where it is.

    ``web/nic0 (us-central1-a)`` for ``zones/us-central1-a/instances/web/nic0``. Instances are in zones and subnets in
    regions, so that they need no kind; of everything else it stays, with its service where that is told:
    ``forwardingRules/web (us-central1)``, ``run/services/api (us-central1)``.
    """
    service, place, kind, path = placed.groups("")
    shown = f"{path if kind in _PLAIN_KINDS and not service else f'{service}{kind}/{path}'} ({place})"
    return shown if not name or name in path.split("/") else f"{shown}: {name}"


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

    @property
    def shown_id(self) -> str:
        """The own id as texts show it: of a long one the names in it."""
        own = self.own_id
        return labelled(own, self.name) if _is_long(own) else own
