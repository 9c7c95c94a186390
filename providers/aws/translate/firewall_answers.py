"""What Network Firewall answers about policies and rule groups, as far as they are read."""

import msgspec

__all__ = [
    "GroupAnswer",
    "Match",
    "Option",
    "Policy",
    "PolicyAnswer",
    "PortRange",
    "Reference",
    "RuleVariables",
    "Source",
]


class Reference(msgspec.Struct, rename="pascal"):
    """A rule group that a policy uses."""

    resource_arn: str = ""
    priority: int = 0


class Set(msgspec.Struct, rename="pascal"):
    definition: list[str] = []


class PolicyVariables(msgspec.Struct, rename="pascal"):
    rule_variables: dict[str, Set] = {}


class EngineOptions(msgspec.Struct, rename="pascal"):
    rule_order: str = "DEFAULT_ACTION_ORDER"


class Policy(msgspec.Struct, rename="pascal"):
    """A policy: its rule groups, its default actions, and the order of its stateful rules."""

    stateless_rule_group_references: list[Reference] = []
    stateless_default_actions: list[str] = []
    stateful_rule_group_references: list[Reference] = []
    stateful_default_actions: list[str] = []
    stateful_engine_options: EngineOptions = msgspec.field(default_factory=EngineOptions)
    policy_variables: PolicyVariables = msgspec.field(default_factory=PolicyVariables)


class PolicyResponse(msgspec.Struct, rename="pascal"):
    firewall_policy_arn: str = ""


class PolicyAnswer(msgspec.Struct, rename="pascal"):
    """The answer of DescribeFirewallPolicy."""

    firewall_policy: Policy
    firewall_policy_response: PolicyResponse = msgspec.field(default_factory=PolicyResponse)


class Address(msgspec.Struct, rename="pascal"):
    address_definition: str = ""


class PortRange(msgspec.Struct, rename="pascal"):
    """Ports of a stateless rule, both ends included."""

    from_port: int = 0
    to_port: int = 65_535


class Match(msgspec.Struct, rename="pascal"):
    """What a stateless rule looks at; what it does not name is any."""

    sources: list[Address] = []
    destinations: list[Address] = []
    source_ports: list[PortRange] = []
    destination_ports: list[PortRange] = []
    protocols: list[int] = []
    # Whatever they ask for, they leave packets out.
    tcp_flags: list[object] = msgspec.field(default=[], name="TCPFlags")


class Definition(msgspec.Struct, rename="pascal"):
    match_attributes: Match = msgspec.field(default_factory=Match)
    actions: list[str] = []


class StatelessRule(msgspec.Struct, rename="pascal"):
    rule_definition: Definition = msgspec.field(default_factory=Definition)
    priority: int = 0


class Stateless(msgspec.Struct, rename="pascal"):
    stateless_rules: list[StatelessRule] = []


class List(msgspec.Struct, rename="pascal"):
    targets: list[str] = []
    target_types: list[str] = []
    generated_rules_type: str = ""


class Header(msgspec.Struct, rename="pascal"):
    protocol: str = ""
    source: str = ""
    source_port: str = ""
    direction: str = ""
    destination: str = ""
    destination_port: str = ""


class Option(msgspec.Struct, rename="pascal"):
    """An option of a stateful rule of five fields."""

    keyword: str = ""
    settings: list[str] = []


class StatefulRule(msgspec.Struct, rename="pascal"):
    action: str = ""
    header: Header = msgspec.field(default_factory=Header)
    rule_options: list[Option] = []


class Source(msgspec.Struct, rename="pascal"):
    """The rules of a group, in one of the ways to write them."""

    rules_string: str | None = None
    rules_source_list: List | None = None
    stateful_rules: list[StatefulRule] = []
    stateless_rules_and_custom_actions: Stateless | None = None


class RuleVariables(msgspec.Struct, rename="pascal"):
    """What a rule group calls by a name: addresses and ports."""

    ip_sets: dict[str, Set] = msgspec.field(default={}, name="IPSets")
    port_sets: dict[str, Set] = {}


class Group(msgspec.Struct, rename="pascal"):
    rules_source: Source
    rule_variables: RuleVariables = msgspec.field(default_factory=RuleVariables)


class GroupResponse(msgspec.Struct, rename="pascal"):
    rule_group_arn: str = ""


class GroupAnswer(msgspec.Struct, rename="pascal"):
    """The answer of DescribeRuleGroup."""

    rule_group: Group | None = None
    rule_group_response: GroupResponse = msgspec.field(default_factory=GroupResponse)
