"""What tells rules of an estate apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cloudseg.model import Direction

__all__ = ["RuleKey"]


class RuleKey(NamedTuple):
    """A rule of a list: ids of rules need not differ between the directions of one."""

    rule_set: str
    direction: Direction
    rule: str
