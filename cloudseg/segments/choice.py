"""What a segment is: a name for the interfaces that have something in common, or for a range of outside addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["INTERNET", "NO_CHOICE", "Choice", "Segment", "outside_named_by"]

INTERNET: Final = "internet"
"""The name of the segment that is always there: every address of the internet that no network of the estate uses."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What an interface must have to be chosen: all parts that are given hold, each by one of its values.

    In every text ``*`` stands for any text. A part without values is not given.

    Attributes:
        tags: values by tag key, of the interface or of the workload that owns it; the interface's own tag counts first.
        labels: values by label key, of the interface: the labels that the cloud's own selectors look at.
        names: names of the interface or of its workload.
        groups: groups that it belongs to, by their name or id.
        addresses: it has one of these addresses inside its network. Mapped public addresses do not count.
        networks: the network it is in, by its name or id.
        scopes: the account, subscription, project or cluster it belongs to, by its id or name.
        ids: its id or that of its workload, qualified or as the provider writes it.
    """

    tags: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict[str, tuple[str, ...]])
    labels: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict[str, tuple[str, ...]])
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    addresses: AddressSet = NO_ADDRESSES
    networks: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether any part is given."""
        return bool(self.addresses) or self.needs_an_interface

    @property
    def needs_an_interface(self) -> bool:
        """Whether a part is given that no address outside the estate can have."""
        return bool(self.tags or self.labels or self.names or self.groups or self.networks or self.scopes or self.ids)

    @property
    def outside(self) -> AddressSet:
        """The addresses that it stands for wherever they are: its addresses, where nothing else is asked."""
        return NO_ADDRESSES if self.needs_an_interface else self.addresses

    def __str__(self) -> str:
        """Return the parts in words: ``tags application=shop and tier=web or app, groups web-*``."""
        return ", ".join(self._parts()) or "nothing"

    def _parts(self) -> Iterator[str]:
        for word, texts in (("tags", self.tags), ("labels", self.labels)):
            if texts:
                yield f"{word} {' and '.join(_equation(key, values) for key, values in texts.items())}"
        for word, values in (("names", self.names), ("groups", self.groups)):
            if values:
                yield f"{word} {' or '.join(values)}"
        if self.addresses:
            yield f"addresses {self.addresses}"
        for word, values in (("networks", self.networks), ("scopes", self.scopes), ("ids", self.ids)):
            if values:
                yield f"{word} {' or '.join(values)}"


NO_CHOICE: Final = Choice()


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A named part of an estate: an application, a tier, an environment, a range outside.

    Attributes:
        name: what people call it.
        choice: what every member has.
        any_of: choices of which every member fits one; without any, nothing more is asked.
        except_for: choices whose interfaces and addresses are taken away again.
        comment: what people wrote about it.
        owner: who answers for it.
        place: where it is written: ``intent.yaml:12``.
    """

    name: str
    choice: Choice = NO_CHOICE
    any_of: tuple[Choice, ...] = ()
    except_for: tuple[Choice, ...] = ()
    comment: str = ""
    owner: str = ""
    place: str = ""

    def __str__(self) -> str:
        """Return what it chooses, in words."""
        parts = [str(self.choice)] if self.choice else []
        parts += [f"any of ({'; '.join(map(str, self.any_of))})"] if self.any_of else []
        parts += [f"except {'; '.join(map(str, self.except_for))}"] if self.except_for else []
        return ", ".join(parts) or "nothing"


def outside_named_by(segment: Segment) -> AddressSet:
    """Return the addresses that a segment stands for wherever they are, those of the estate's networks included."""
    if not segment.choice and not segment.any_of:
        return NO_ADDRESSES
    chosen = segment.choice.outside if segment.choice else ALL_ADDRESSES
    if segment.any_of:
        chosen &= _union(segment.any_of)
    return chosen - _union(segment.except_for)


def _equation(key: str, values: tuple[str, ...]) -> str:
    return f"{key}={' or '.join(values)}"


def _union(choices: tuple[Choice, ...]) -> AddressSet:
    union = NO_ADDRESSES
    for choice in choices:
        union |= choice.outside
    return union
