"""Small estates and demands for the tests of the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import AddRule, RemoveRule
from cloudseg.observed.ends import End
from cloudseg.plan.proof import prove
from cloudseg.remediations.demand import Demand
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Edit, Estate, Rule
    from cloudseg.plan.proof import Proof

own = EstateBuilder.id
BY_ADDRESS = allow("ingress", "tcp/5432", "10.0.0.0/16", rule_id="wide")
BY_GROUP = allow("ingress", "tcp/5432", "sg-web", rule_id="cloudseg-web")


def add(rule: Rule, group: str = "sg-db") -> AddRule:
    return AddRule(own(group), rule)


def remove(rule: str, group: str = "sg-db") -> RemoveRule:
    return RemoveRule(own(group), rule)


def end(estate: Estate, name: str, address: str = "") -> End:
    """An end of conversations: an interface of the example's account, or an address outside; ``?`` before one that
    nobody who was read bears.
    """
    if name.startswith("?"):
        return End("unknown", "", name[1:], "no interface that was read bears it")
    known = estate.interfaces.get(own(name))
    if known is None:
        return End("outside", "", name)
    return End("interface", known.id, address or str(known.addresses).split(", ")[0])


def needing(estate: Estate, *needs: tuple[str, str, str]) -> Demand:
    """What must go on passing: source, target, traffic; ``eni-1@10.0.0.1`` names one of several addresses."""
    each = [(_named(estate, source), _named(estate, target), traffic) for source, target, traffic in needs]
    return _demand(estate, each)


def _named(estate: Estate, text: str) -> End:
    name, _, address = text.partition("@")
    return end(estate, name, address)


def between(estate: Estate, *needs: tuple[str, str, str]) -> Demand:
    """The same by the names of interfaces, for estates of other builders."""
    ends = {each.name: End("interface", each.id, str(each.addresses)) for each in estate.interfaces.values()}
    return _demand(estate, [(ends[source], ends[target], traffic) for source, target, traffic in needs])


def _demand(estate: Estate, needs: Sequence[tuple[End, End, str]]) -> Demand:
    places = np.arange(len(needs), dtype=np.int64)
    ones = np.ones(len(needs), dtype=np.int64)
    return Demand(
        ends=tuple(side for source, target, _ in needs for side in (source, target)),
        sources=places * 2,
        targets=places * 2 + 1,
        kinds=places,
        traffics=tuple(Traffic.parse(traffic) for _, _, traffic in needs),
        connections=ones * 7,
        last_seen=ones,
        given=True,
        _estate=estate,
    )


def proved(estate: Estate, edits: Sequence[Edit], demand: Demand | None = None) -> Proof:
    """The proof of a plan of which every edit is a change."""
    return prove(estate, [(edit,) for edit in edits], Demand(given=True) if demand is None else demand)


def shop(**more: str) -> EstateBuilder:
    """Web servers and a database that admits the whole network; ``more`` are addresses of the two."""
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-batch", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-db", BY_ADDRESS)
    b.interface("eni-web", "subnet-private", ["sg-web"], more.get("web", "10.0.2.10"))
    b.interface("eni-batch", "subnet-private", ["sg-batch"], "10.0.2.20")
    b.interface("eni-db", "subnet-private", ["sg-db"], more.get("db", "10.0.2.30"))
    return b
