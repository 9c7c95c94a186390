"""The settings of agents that put a node's address in place of its pods': which destinations they spare.

The agents of Azure and of Google Cloud have the same ones. Sources:
https://github.com/Azure/ip-masq-agent-v2#configuring-the-agent and
https://cloud.google.com/kubernetes-engine/docs/how-to/ip-masquerade-agent
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from cloudseg.errors import ParseError
from cloudseg.traffic import NO_ADDRESSES, AddressSet

__all__ = ["LINK_LOCAL", "AgentSettings", "agent_settings"]

LINK_LOCAL: Final = AddressSet.from_cidrs(("169.254.0.0/16",))


class AgentSettings(NamedTuple):
    """What one file of settings says.

    Attributes:
        ranges: the destinations that it spares; None where it names none.
        spares_link_local: it spares those of the link as well.
    """

    ranges: AddressSet | None
    spares_link_local: bool


def agent_settings(text: object) -> AgentSettings | None:
    """Return what a file of settings, YAML or JSON, says; None where it cannot be read."""
    # Hardly a cluster has such settings, and a parser for YAML takes long to load.
    import yaml

    try:
        given: object = yaml.load(str(text), Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    if given is None:
        given = {}
    if not isinstance(given, dict):
        return None
    # The agents compare names without case.
    fields = {str(key).lower(): value for key, value in cast("dict[object, object]", given).items()}
    listed = fields.get("nonmasqueradecidrs")
    found = NO_ADDRESSES
    for prefix in cast("list[object]", listed) if isinstance(listed, list) else ():
        try:
            found |= AddressSet.from_cidrs((str(prefix),))
        except ParseError:
            return None
    return AgentSettings(found if isinstance(listed, list) else None, not fields.get("masqlinklocal"))
