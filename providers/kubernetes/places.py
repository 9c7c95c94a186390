"""Namespaces in which a list could not be read, as a gap names them: the words are read again by the translation."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Places"]

_NAME: Final = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_WORDS: Final = re.compile(rf"namespaces (other than )?({_NAME}(?:, {_NAME})*)")


class Places(NamedTuple):
    """Some namespaces of a cluster.

    Attributes:
        names: their names, sorted.
        others: all but these are meant: which there are is not known.
    """

    names: tuple[str, ...]
    others: bool = False

    @property
    def words(self) -> str:
        """They in words: ``namespaces a, b``, or ``namespaces other than a``."""
        return f"namespaces {'other than ' if self.others else ''}{', '.join(self.names)}"

    @classmethod
    def read(cls, words: str) -> Places | None:
        """Return the namespaces that words name; None for any other words."""
        match = _WORDS.fullmatch(words)
        return None if match is None else cls(tuple(match[2].split(", ")), match[1] is not None)

    def hold(self, namespace: str) -> bool:
        """Tell whether a namespace is one of them."""
        return (namespace in self.names) != self.others
