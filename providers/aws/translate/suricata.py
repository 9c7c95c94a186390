"""Suricata rules, as far as it takes to tell a rule for everything from one for something."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SuricataRule", "rules_in"]

_END = r"(!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]|[^\s\[]+)"
_RULE = re.compile(
    rf"(pass|drop|reject|rejectsrc|rejectdst|rejectboth|alert)\s+(\S+)\s+{_END}\s+{_END}\s+(->|<>)\s+{_END}\s+{_END}"
    r"\s*\((.*)\)",
    re.IGNORECASE,
)
_OPTION = re.compile(r'\s*([a-z0-9_.]+)\s*(?::\s*((?:"(?:\\.|[^"\\])*"|[^;"\\]|\\.)*))?;', re.IGNORECASE)
_PASS = re.compile(r"pass\s", re.IGNORECASE)
_BYTES = re.compile(r"\|((?:\s*[0-9a-fA-F]{2})+)\s*\|")
# Options that describe a rule, or say at what point of a connection it applies, and leave no connection out.
_DESCRIPTIVE = frozenset(
    ("alert", "classtype", "flow", "gid", "metadata", "msg", "noalert", "priority", "reference", "rev", "sid", "target")
)
# Options that mark a connection for other rules, unless they ask for a mark.
_MARKS = frozenset(("flowbits", "xbits"))
_MARKING = ("set,", "unset,", "toggle,", "noalert")
# Where a rule looks for the name of the server.
_BUFFERS = frozenset(("tls.sni", "tls_sni", "http.host", "http.host.raw"))
_OTHER_BUFFERS = frozenset(("pkt_data", "file_data", "base64_data", "dns_query"))
_EVERY_CONNECTION = frozenset(("ip", "tcp", "udp"))
_OUTSIDE = frozenset(("any", "$external_net", "!$home_net"))
_STOPS = frozenset(("drop", "reject"))
_LONGEST = 8192
"""Characters of a rule, the most that Suricata takes."""


class SuricataRule(msgspec.Struct, frozen=True):
    """One rule: its action, its protocol, source, source port, destination and destination port, and its options.

    One that was not understood has no protocol.
    """

    action: str
    protocol: str
    ends: tuple[str, str, str, str]
    options: tuple[tuple[str, str], ...] = ()

    @property
    def turned(self) -> SuricataRule:
        """The same rule in the other direction."""
        source, source_port, destination, destination_port = self.ends
        return msgspec.structs.replace(self, ends=(destination, destination_port, source, source_port))

    def stops_all_from(self, sources: frozenset[str]) -> bool:
        """Tell whether it stops every connection of its protocol that starts from one of these sources."""
        source, source_port, destination, destination_port = (end.lower() for end in self.ends)
        return (
            self.action in _STOPS
            and self._whole
            and source in sources
            and destination in _OUTSIDE
            and source_port == destination_port == "any"
        )

    @property
    def _whole(self) -> bool:
        """Whether no option leaves a connection of its protocol out."""
        return self.protocol in _EVERY_CONNECTION and all(
            keyword.lower() in _DESCRIPTIVE for keyword, _ in self.options
        )

    @property
    def unconditional(self) -> bool:
        """Whether no option leaves a connection of its protocol out, or none but a name that every server has."""
        buffers = _BUFFERS if self._contents else frozenset[str]()
        return bool(self.protocol) and all(
            keyword.lower() in _DESCRIPTIVE | buffers
            or (keyword.lower() == "content" and not _says_something(_plain(text)))
            or (keyword.lower() in _MARKS and text.strip().lower().startswith(_MARKING))
            for keyword, text in self.options
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The server names that it looks for; a leading ``*.`` stands for any subdomain.

        A text without a letter or a digit, such as the dot that every name has, is no name.
        """
        found: list[str] = []
        for content in filter(_says_something, self._contents):
            found += [content[1:], f"*{content}"] if content.startswith(".") else [content]
        return tuple(found)

    @property
    def _contents(self) -> tuple[str, ...]:
        """The texts that it looks for in the name of the server.

        A buffer holds for the contents that follow it, until the next one; ``http_host`` for the one before it.
        Source: https://docs.suricata.io/en/latest/rules/intro.html#modifier-keywords
        """
        found: list[str] = []
        last, named = "", False
        for keyword, text in self.options:
            word = keyword.lower()
            if word == "content":
                last = _plain(text)
                found += [last] if named and last else []
            elif word == "http_host":
                found += [last] if last else []
            elif word in _BUFFERS or "." in word or word in _OTHER_BUFFERS:
                named = word in _BUFFERS
        return tuple(found)


def _plain(text: str) -> str:
    """Return the text of a content, bytes between bars as letters; nothing for one that must not be there."""
    text = text.strip()
    if text.startswith("!"):
        return ""
    return _BYTES.sub(lambda found: bytes.fromhex(found[1]).decode("latin-1"), text.strip('"'))


def _says_something(content: str) -> bool:
    return any(letter.isalnum() for letter in content)


def rules_in(text: str) -> Iterator[SuricataRule]:
    """Yield the rules of a rule group; lines that are none are skipped, as comments are.

    A rule for both directions is two. One that passes and cannot be read may pass anything.
    Source: https://docs.suricata.io/en/latest/rules/intro.html
    """
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        if len(line) > _LONGEST:
            continue
        match = _RULE.fullmatch(line.strip())
        if match is None:
            if _PASS.match(line.strip()):
                yield SuricataRule("pass", "", ("any", "any", "any", "any"))
            continue
        action, protocol, source, source_port, direction, destination, destination_port, options = match.groups()
        action = action.lower()
        found = SuricataRule(
            "reject" if action.startswith("reject") else action,
            protocol.lower(),
            (source, source_port, destination, destination_port),
            tuple((keyword, value) for keyword, value in _OPTION.findall(options)),
        )
        yield found
        if direction == "<>":
            yield found.turned
