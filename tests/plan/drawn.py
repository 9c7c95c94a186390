"""Edits of every kind, drawn at random, and small plans by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from cloudseg.model import (
    Addresses,
    AllOf,
    AnyOf,
    Carries,
    Endpoint,
    Everyone,
    Everything,
    FlowLog,
    Group,
    GroupRef,
    InNetworks,
    InSubnets,
    Labelled,
    ListRef,
    Names,
    NoneOf,
    Rule,
    RuleSet,
    SourceLocation,
    Unresolved,
)
from cloudseg.model.edits import (
    AddEndpoint,
    AddFlowLog,
    AddRule,
    AddRuleSet,
    Attach,
    CreateGroup,
    Detach,
    RemoveGroup,
    RemoveRule,
    RemoveRuleSet,
    SetLabel,
    SetPublicAccess,
)
from cloudseg.traffic import AddressSet, IntervalSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model.edits import Edit
    from cloudseg.model.peers import Peer
    from cloudseg.model.selectors import Selector

__all__ = ["EDITS", "KINDS", "RULES"]

# Texts of clouds hold no half characters: what reads them mends these.
_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
_PORTS = st.integers(0, 65535)
_SPANS = st.tuples(_PORTS, _PORTS).map(lambda pair: (min(pair), max(pair)))
_NUMBERS = st.lists(_SPANS, max_size=3).map(IntervalSet.from_pairs)
_V4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)).map(lambda pair: (min(pair), max(pair)))
_V6 = st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1)).map(lambda pair: (min(pair), max(pair)))
_ADDRESSES = st.builds(
    AddressSet,
    st.lists(_V4, max_size=2).map(IntervalSet.from_pairs),
    st.lists(_V6, max_size=2).map(IntervalSet.from_pairs),
)
_TRAFFIC = st.builds(Traffic, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS)
_PEERS: st.SearchStrategy[Peer] = st.one_of(
    st.builds(Everyone),
    st.builds(Addresses, _ADDRESSES),
    st.builds(GroupRef, _TEXTS, st.none() | _TEXTS, st.booleans()),
    st.builds(ListRef, _TEXTS),
    st.builds(Names, st.lists(_TEXTS, max_size=2).map(tuple)),
    st.builds(Unresolved, _TEXTS, _TEXTS, _ADDRESSES, _TEXTS),
)
_NAMES = st.frozensets(_TEXTS, max_size=3)
_LEAVES: st.SearchStrategy[Selector] = st.one_of(
    st.builds(Everything),
    st.builds(Carries, _TEXTS),
    st.builds(InSubnets, _NAMES),
    st.builds(InNetworks, _NAMES),
    st.builds(Labelled, _TEXTS, st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")), _NAMES),
)
_SELECTORS: st.SearchStrategy[Selector] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        .map(tuple)
        .flatmap(lambda parts: st.sampled_from((AllOf(parts), AnyOf(parts), NoneOf(parts))))
    ),
    max_leaves=4,
)
_ENDS = st.lists(_PEERS, max_size=2).map(tuple)
RULES = st.builds(
    Rule,
    id=_TEXTS,
    direction=st.sampled_from(("ingress", "egress")),
    verdict=st.sampled_from(("deny", "next", "accept")),
    traffic=_TRAFFIC,
    remote=_ENDS,
    local=_ENDS,
    priority=st.none() | st.integers(0, 70000),
    source_ports=st.none() | _NUMBERS,
    exact=st.booleans(),
    doubt=_TEXTS,
    description=_TEXTS,
    location=st.none() | st.builds(SourceLocation, _TEXTS, st.integers(0, 99)),
    fixed=st.booleans(),
    required=st.booleans(),
    resource=_TEXTS,
)
_SEVERAL = st.lists(RULES, max_size=2).map(tuple)
_TAGS = st.dictionaries(_TEXTS, _TEXTS, max_size=2)
_RULE_SETS = st.builds(
    RuleSet, id=_TEXTS, kind=_TEXTS, name=_TEXTS, tags=_TAGS, stage=_TEXTS, rules=_SEVERAL,
    applies=_SELECTORS, network=st.none() | _TEXTS, isolates=st.frozensets(st.sampled_from(("ingress", "egress"))),
)  # fmt: skip
_GROUPS = st.builds(
    Group, id=_TEXTS, kind=_TEXTS, selector=_SELECTORS, networks=st.lists(_TEXTS, max_size=2).map(tuple)
)
_ENDPOINTS = st.builds(
    Endpoint, id=_TEXTS, kind=_TEXTS, network=_TEXTS, type=st.sampled_from(("gateway", "interface")), service=_TEXTS,
    usable=st.none() | st.booleans(), subnets=_NAMES, groups=_NAMES,
)  # fmt: skip
_FLOW_LOGS = st.builds(
    FlowLog, id=_TEXTS, kind=_TEXTS, target=_TEXTS, traffic=st.sampled_from(("all", "accepted", "rejected")),
    delivers=st.none() | st.booleans(), retention=st.none() | st.integers(0, 400),
)  # fmt: skip
KINDS: dict[type, st.SearchStrategy[Edit]] = {
    AddRule: st.builds(AddRule, _TEXTS, RULES),
    RemoveRule: st.builds(RemoveRule, _TEXTS, _TEXTS),
    AddRuleSet: st.builds(AddRuleSet, _RULE_SETS),
    RemoveRuleSet: st.builds(RemoveRuleSet, _TEXTS),
    CreateGroup: st.builds(CreateGroup, _GROUPS),
    RemoveGroup: st.builds(RemoveGroup, _TEXTS),
    Attach: st.builds(Attach, _TEXTS, _TEXTS),
    Detach: st.builds(Detach, _TEXTS, _TEXTS),
    SetLabel: st.builds(SetLabel, _TEXTS, _TEXTS, st.none() | _TEXTS),
    SetPublicAccess: st.builds(SetPublicAccess, _TEXTS, st.booleans(), _ADDRESSES),
    AddEndpoint: st.builds(AddEndpoint, _ENDPOINTS),
    AddFlowLog: st.builds(AddFlowLog, _FLOW_LOGS),
}
EDITS = st.one_of(*KINDS.values())
