"""Rules, the lists they stand in, and the stages that evaluate the lists.

One shape holds the rule sets of every cloud: union of allows (security groups, NetworkPolicies), ordered by number
(network ACLs), by priority with denies (NSGs, GCP firewalls), tiers that pass on (admin policies), stateful or not.
"""

from typing import Literal

import msgspec

from cloudseg.model.coverage import Facet
from cloudseg.model.peers import Everyone, Peer
from cloudseg.model.resources import Direction, Resource, SourceLocation
from cloudseg.model.selectors import Everything, Selector
from cloudseg.model.topology import Interface
from cloudseg.traffic import IntervalSet, Traffic

__all__ = ["ANYONE", "Pipeline", "RangeMeaning", "Rule", "RuleSet", "Stage", "Verdict"]

RangeMeaning = Literal["unknown", "outside", "everywhere"]
Verdict = Literal["deny", "next", "accept"]
ANYONE: tuple[Peer, ...] = (Everyone(),)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One permission or denial.

    Attributes:
        id: the provider's id of the rule; where it has none, a text that is unique in the rule set.
        direction: ``ingress`` (towards the interface) or ``egress``.
        verdict: ``deny``; ``next``, this stage lets it through and the following one decides; ``accept``, final.
        traffic: protocols and destination ports, ICMP types and codes.
        remote: the other end; a union, nobody when empty.
        local: what narrows this end further than the rule set does; a union.
        priority: evaluation order in a ``first`` stage, lower first; None in an ``any`` stage.
        source_ports: the client's ports that the rule admits; None for all of them.
        exact: False when the rule could not be read in full and what stands here is the most that it can match.
        doubt: why it is not exact, in words; empty where it could not be read.
        description: what people wrote about it.
        location: where it is written, for estates read from files.
        fixed: the provider keeps it in every such list, and nobody can change it or take it away.
        required: it lets in no more than the provider's own management of a service, and the provider refuses lists
            without it.
        resource: qualified id of the resource that the rule is by itself, where the provider keeps rules one by one (a
            VPC firewall rule); empty where its list is the resource.
    """

    id: str
    direction: Direction
    verdict: Verdict
    traffic: Traffic
    remote: tuple[Peer, ...]
    local: tuple[Peer, ...] = ANYONE
    priority: int | None = None
    source_ports: IntervalSet | None = None
    exact: bool = True
    doubt: str = ""
    description: str = ""
    location: SourceLocation | None = None
    fixed: bool = False
    required: bool = False
    resource: str = ""

    @property
    def allows(self) -> bool:
        """Whether the rule lets its traffic through the stage it stands in."""
        return self.verdict != "deny"


class RuleSet(Resource, frozen=True, kw_only=True):
    """The list in which rules stand: a security group, a network ACL, an NSG, a firewall policy, a NetworkPolicy.

    Attributes:
        stage: name of the stage that evaluates it.
        rules: in the provider's order.
        applies: the interfaces that the list judges.
        network: the network it belongs to, where the provider ties it to one.
        is_default: the provider made it and it is used where nothing else is chosen.
        managed_by: the controller that owns the list and would undo a change; empty for the user's own.
        isolates: directions in which being selected is enough to be judged, even by a list without rules there. In
            others the list's rules only add to what lists admit that do isolate.
    """

    stage: str
    rules: tuple[Rule, ...] = ()
    applies: Selector = Everything()
    network: str | None = None
    is_default: bool = False
    managed_by: str = ""
    isolates: frozenset[Direction] = frozenset(("ingress", "egress"))

    def bearer(self, rule: Rule) -> Resource:
        """Return the resource that people change to change a rule: the rule itself where it is one, else this list."""
        if not rule.resource:
            return self
        return Resource(
            id=rule.resource,
            kind=self.kind.removesuffix("s"),
            name=rule.resource.rpartition("/")[2],
            region=self.region,
            location=rule.location,
        )


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One step of evaluation for one direction.

    Attributes:
        name: the name that rule sets refer to.
        at: where a packet meets it. A ``subnet-boundary`` is not met by traffic that stays inside one subnet; what the
            ``platform`` does by itself is always known.
        stateful: replies need no rule of their own.
        match: ``any``, one allowing rule is enough; ``first``, the first matching rule by priority decides.
        miss: the answer when a rule set selects the interface and no rule matches. What no rule set selects goes on.
        ranges: whether rules that name addresses match pods that bear them: ``everywhere`` they do, ``outside`` they
            never do, ``unknown`` at most. Whoever is no pod they always match.
        pods_only: only pods meet it, in a network where others stand beside them.
        told: people want to hear of it even where no list judges.
        facet: the part of an estate that its lists belong to; empty for the usual one of its place.
        lists_of: whose scope the lists at interfaces belong to: the interface's own, or its network's.
        part: what is accepted for good skips the other stages of its part alone; those of a cluster in a cloud's
            network are a part of their own, behind the cloud's.
    """

    name: str
    at: Literal["platform", "network", "subnet", "subnet-boundary", "interface"]
    stateful: bool
    match: Literal["any", "first"]
    miss: Verdict
    ranges: RangeMeaning = "everywhere"
    pods_only: bool = False
    told: bool = True
    facet: Facet | Literal[""] = ""
    lists_of: Literal["interface", "network"] = "interface"
    part: int = 0

    @property
    def opens_unread(self) -> bool:
        """Whether a list that was not read may accept for good: not where one ordered list denies what it leaves."""
        return self.miss != "deny" or self.match == "any"

    def hands_on(self, rule: Rule) -> bool:
        """Tell whether a rule only keeps later ones of its list from deciding, and leaves that to what is behind it."""
        return self.match == "first" and self.miss == "next" and rule.verdict == "next"


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """The stages that a packet meets at one kind of network, in their order; what passes the last is accepted."""

    name: str
    ingress: tuple[Stage, ...]
    egress: tuple[Stage, ...]

    def stages(self, direction: Direction) -> tuple[Stage, ...]:
        """Return the stages of one direction, in the order in which a packet meets them."""
        return self.ingress if direction == "ingress" else self.egress

    def met_by(self, interface: Interface, direction: Direction) -> tuple[Stage, ...]:
        """Return those of them that packets from or to an interface meet."""
        stages = self.stages(direction)
        return stages if interface.is_pod else tuple(stage for stage in stages if not stage.pods_only)
