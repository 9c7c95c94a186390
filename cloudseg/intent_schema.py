"""The JSON Schema of the intent file, for editors that check YAML while it is typed.

It knows the keys and the kinds of their values. Whether a segment is defined, or traffic can be read, only
``read_intent`` tells.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cloudseg.segments import INTERNET

__all__ = ["intent_schema"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ID = "urn:cloudseg:intent:v1"

# An account of digits or a tag "yes" needs no quotes in YAML; a reader that knows only the schema sees another type.
_Text = str | int | float | bool
_Texts = _Text | Annotated[list[_Text], Meta(min_length=1)]
_ByKey = Annotated[dict[str, _Texts], Meta(min_length=1)]


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    tags: Annotated[_ByKey, Meta(description="Values by tag key, of the interface or of its workload.")] | UnsetType = (
        UNSET
    )
    labels: Annotated[_ByKey, Meta(description="Values by label key, of the interface.")] | UnsetType = UNSET
    names: Annotated[_Texts, Meta(description="Names of the interface or of its workload.")] | UnsetType = UNSET
    groups: Annotated[_Texts, Meta(description="Groups it belongs to, by name or id.")] | UnsetType = UNSET
    addresses: (
        Annotated[_Texts, Meta(description="Addresses or ranges; outside the estate too, where nothing else is asked.")]
        | UnsetType
    ) = UNSET
    networks: Annotated[_Texts, Meta(description="The network it is in, by name or id.")] | UnsetType = UNSET
    scopes: (
        Annotated[_Texts, Meta(description="The account, subscription, project or cluster, by id or name.")] | UnsetType
    ) = UNSET
    ids: Annotated[_Texts, Meta(description="Ids of the interface or of its workload.")] | UnsetType = UNSET


Choices = Annotated[list[Choice], Meta(min_length=1)]


class Segment(Choice, forbid_unknown_fields=True, rename={"any_of": "any", "except_for": "except"}):
    any_of: Annotated[Choices, Meta(description="Choices of which one must fit.")] | UnsetType = UNSET
    except_for: Annotated[Choice | Choices, Meta(description="Choices to take away again.")] | UnsetType = UNSET
    comment: Annotated[_Text, Meta(description="What it is, for people.")] | UnsetType = UNSET
    owner: Annotated[_Text, Meta(description="Who answers for it.")] | UnsetType = UNSET


class Allowance(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    from_: Annotated[_Texts, Meta(description=f"The segments that open connections, or {INTERNET}.")]
    to: Annotated[_Texts, Meta(description=f"The segments that they open them to, or {INTERNET}.")]
    traffic: Annotated[_Texts, Meta(description="What they may open: tcp/443, tcp/9000-9100, udp, icmp/8, all.")]
    comment: Annotated[_Text, Meta(description="Why, for people.")] | UnsetType = UNSET
    owner: Annotated[_Text, Meta(description="Who answers for it.")] | UnsetType = UNSET
    expires: (
        Annotated[_Text, Meta(description="The last day on which it holds; without it, it holds for good.")] | UnsetType
    ) = UNSET
    id: Annotated[_Text, Meta(description="A name that stays when the entry changes.")] | UnsetType = UNSET


class IntentFile(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["cloudseg/intent/v1"]
    segments: Annotated[dict[str, Segment], Meta(description="What each segment is called, and what it chooses by.")]
    default: Annotated[Literal["deny"], Meta(description="What is not allowed is denied.")] = "deny"
    allow: Annotated[list[Allowance], Meta(description="What may be opened.")] | UnsetType = UNSET
    shared: Annotated[_Texts, Meta(description="Segments of services that everybody uses.")] | UnsetType = UNSET
    tiers: (
        Annotated[list[_Texts], Meta(description="Tiers as tags call them, outermost first; a list is one tier.")]
        | UnsetType
    ) = UNSET


def intent_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``cloudseg/intent/v1``."""
    (reference,), definitions = msgspec.json.schema_components([IntentFile], ref_template="#/$defs/{name}")
    return {
        "$schema": _DRAFT,
        "$id": _ID,
        "title": "cloudseg intent",
        "description": "The intended traffic: segments, and what one may open to another. All else is denied.",
        **reference,
        "$defs": dict(sorted(definitions.items())),
    }
