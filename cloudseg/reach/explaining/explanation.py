"""What an explanation says: hop by hop what lets packets of one end through to another, or what stops them.

These are plain values, so that they become JSON as they are.
"""

from typing import Literal

import msgspec

from cloudseg.model import Direction, Verdict

__all__ = ["Cut", "EndPoint", "Explanation", "Outcome", "RuleRef", "Step", "StepKind"]

StepKind = Literal[
    "way-in",
    "stage",
    "boundary",
    "route",
    "gateway",
    "translation",
    "checkpoint",
    "balancer",
    "return-route",
    "reply",
    "delivered",
]
"""What a step is.

``way-in``: how packets from outside come to the target; ``stage``: stateful lists of one end; ``boundary``: a stateless
list at the edge of a subnet of one end; ``route``: a deciding route of a route table; ``gateway``: a gateway, peering,
attachment or transit table behind it; ``translation``: from here on others see another address; ``checkpoint``: the
edge of a subnet on the way; ``balancer``: a load balancer opens connections of its own; ``return-route``: the way that
replies take; ``reply``: a stateless list lets replies back; ``delivered``: where packets come out.
"""

Outcome = Literal["passes", "partly", "blocks", "unknown"]
"""What becomes of the traffic at a step, or on the whole way.

``passes``: all of it, for sure; ``partly``: some of it, for sure, and of the rest nothing, or it is not known;
``blocks``: none of it, for sure; ``unknown``: some of it may pass, and nothing does for sure.
"""


class RuleRef(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of a list, or the default of a list.

    Attributes:
        rule_set: qualified id of the list.
        rule: the rule's id in it; ``*`` for what the list does where no rule matches.
        label: own id of the list, and its name.
        verdict: what the rule answers.
        text: the rule in words: ``ingress tcp/443 from 0.0.0.0/0``.
    """

    rule_set: str
    rule: str
    label: str
    verdict: Verdict
    text: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the way.

    Attributes:
        kind: what it is.
        direction: ``egress`` at the source's end and out of subnets, ``ingress`` into them; empty where it has none.
        place: qualified id of where it is: an interface, a subnet, a table, a gateway; empty for none.
        text: what it is, in words: ``security groups sg-1 (web) of eni-1``.
        verdict: what becomes of the traffic here, whatever other steps do to it.
        rules: the rules that decide here: those that admit it, or those that deny it.
        left_lower: what is certainly left of the traffic after this step and all before it.
        left_upper: what is left of it at most.
        reason: why the verdict is so, in words; empty where the text says it.
    """

    kind: StepKind
    direction: Direction | Literal[""] = ""
    place: str = ""
    text: str
    verdict: Outcome
    rules: tuple[RuleRef, ...] = ()
    left_lower: str
    left_upper: str
    reason: str = ""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one step at an end that admit what passes: without all of them nothing would pass.

    Attributes:
        direction: of the packets, seen from the end.
        place: qualified id of the interface, or of the subnet, where the lists are.
        text: the lists in words.
        rules: every rule of theirs that would have to go.
    """

    direction: Direction
    place: str
    text: str
    rules: tuple[RuleRef, ...]


class EndPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One end, as it was asked for and as it is explained.

    Attributes:
        id: qualified id of the interface; empty for addresses outside of the estate.
        text: the end in words: ``eni-1 (10.0.1.5)``, ``203.0.113.0/24``.
        address: the address that the explanation is about; empty where none was read.
        others: how many further addresses of the interface are left out.
    """

    id: str
    text: str
    address: str = ""
    others: int = 0


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why traffic passes from one end to another, or why not.

    Attributes:
        source: who opens the connection.
        target: who is to take it.
        traffic: what was asked about.
        verdict: ``allowed``, ``blocked``, ``partly`` (some of it, for sure) or ``unknown``.
        lower: what of the traffic certainly passes.
        upper: what of it passes at most. Both are about all addresses of both ends.
        reason: the verdict in one sentence, with what decides.
        steps: the way of the packets, in their order, up to the end even where a step stops them.
        blocked_by: the rules that stop it first, or the default of the lists that do; empty where it is no rule.
        also_blocking: the further steps that would stop it: all of them would have to change as well.
        would_block: all rules at the step where the fewest admit what passes: without them nothing would pass.
        cuts: the same of every step at either end, that with the fewest rules first: each of them alone is enough.
        unknowns: what is not known, in words.
        notes: what else is worth knowing, in words: other addresses, a mistake that is easily made.
    """

    source: EndPoint
    target: EndPoint
    traffic: str
    verdict: Literal["allowed", "partly", "unknown", "blocked"]
    lower: str
    upper: str
    reason: str
    steps: tuple[Step, ...] = ()
    blocked_by: tuple[RuleRef, ...] = ()
    also_blocking: tuple[Step, ...] = ()
    would_block: tuple[RuleRef, ...] = ()
    cuts: tuple[Cut, ...] = ()
    unknowns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
