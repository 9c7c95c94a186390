"""Suricata rules, as far as it takes to tell a rule for everything from one for something."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_IPV4, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SuricataRule", "rules_in"]

_END = r"(!?\[[^\]]*\]|[^\s\[]+)"
_RULE = re.compile(
    rf"(pass|drop|reject|rejectsrc|rejectdst|rejectboth|alert)\s+(\S+)\s+{_END}\s+{_END}\s+(?:->|<>)\s+{_END}\s+{_END}"
    r"\s*\((.*)\)",
    re.IGNORECASE,
)
_OPTION = re.compile(r'\s*([a-z0-9_.]+)\s*(?::\s*((?:"(?:\\.|[^"\\])*"|[^;"\\]|\\.)*))?;', re.IGNORECASE)
_ANYONE = frozenset(("any", "$home_net", "$external_net", "!$home_net", "0.0.0.0/0"))
# Options that describe a rule, or say at what point of a connection it applies, and leave no connection out.
_DESCRIPTIVE = frozenset(
    ("classtype", "flow", "gid", "metadata", "msg", "noalert", "priority", "reference", "rev", "sid", "target")
)
_EVERY_CONNECTION = frozenset(("ip", "tcp", "udp"))
_OUTSIDE = frozenset(("any", "$external_net", "!$home_net"))
_STOPS = frozenset(("drop", "reject"))
_LONGEST = 8192
"""Characters of a rule, the most that Suricata takes."""


class SuricataRule(msgspec.Struct, frozen=True):
    """One rule: its action, its protocol, source, source port, destination and destination port, and its options."""

    action: str
    protocol: str
    ends: tuple[str, str, str, str]
    options: tuple[tuple[str, str], ...] = ()

    def passes_all_from(self, home: AddressSet) -> bool:
        """Tell whether it passes every connection of its protocol from everyone or from all home addresses.

        It is enough that it does in one direction. A rule for the start of connections alone passes no more than
        handshakes, one for replies no more than replies.
        """
        source, source_port, destination, destination_port = self.ends
        everyone = _is_everyone(source) or (bool(home.v4) and AddressSet(v4=home.v4) <= _addresses_in(source))
        ports = source_port.lower() == destination_port.lower() == "any"
        if self.action != "pass" or not (self._whole and everyone and ports and _is_everyone(destination)):
            return False
        flow = ",".join(text.lower() for keyword, text in self.options if keyword.lower() == "flow")
        return not any(word in flow for word in ("not_established", "to_client", "from_server"))

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
    def names(self) -> tuple[str, ...]:
        """The server names that it looks for; a leading ``*.`` stands for any subdomain."""
        keywords = [keyword.lower() for keyword, _ in self.options]
        if not {"tls.sni", "tls_sni", "http.host", "http_host"} & set(keywords):
            return ()
        contents = [
            text.strip().strip('"')
            for keyword, text in self.options
            if keyword.lower() == "content" and not text.strip().startswith("!")
        ]
        found: list[str] = []
        for content in contents:
            if content.startswith("."):
                found += [content[1:], f"*{content}"]
            elif content:
                found.append(content)
        return tuple(found)


def _is_everyone(end: str) -> bool:
    return end.lower() in _ANYONE or not ALL_IPV4 - _addresses_in(end)


def _addresses_in(end: str) -> AddressSet:
    """Return the addresses that an end of a rule lists; nothing where it leaves some out or names variables."""
    try:
        return AddressSet.from_cidrs(text.strip() for text in end.removeprefix("[").removesuffix("]").split(","))
    except ParseError:
        return NO_ADDRESSES


def rules_in(text: str) -> Iterator[SuricataRule]:
    """Yield the rules of a rule group; lines that are none are skipped, as comments are.

    Source: https://docs.suricata.io/en/latest/rules/intro.html
    """
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        match = _RULE.fullmatch(line.strip()) if len(line) <= _LONGEST else None
        if match is None:
            continue
        action, protocol, source, source_port, destination, destination_port, options = match.groups()
        action = action.lower()
        yield SuricataRule(
            "reject" if action.startswith("reject") else action,
            protocol.lower(),
            (source, source_port, destination, destination_port),
            tuple((keyword, value) for keyword, value in _OPTION.findall(options)),
        )
