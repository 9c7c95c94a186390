from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate, Firewall
from cloudseg.providers.aws.translate.suricata import rules_in

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
FIREWALL = "arn:aws:network-firewall:eu-west-1:111122223333:firewall/f"
POLICY = "arn:aws:network-firewall:eu-west-1:111122223333:firewall-policy/p"
FORWARD = {"StatelessDefaultActions": ["aws:forward_to_sfe"], "StatelessFragmentDefaultActions": ["aws:drop"]}
STRICT = FORWARD | {"StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER"}}
LIST = {"TargetTypes": ["TLS_SNI", "HTTP_HOST"], "Targets": [".example.com", "example.org"]}


def firewall(translated: Translate, policy: dict[str, Any] | None, **groups: dict[str, Any]) -> Firewall:
    answers: dict[str, object] = {
        "network-firewall.list_firewalls": [{"FirewallName": "f", "FirewallArn": FIREWALL}],
        f"network-firewall.describe_firewall#{FIREWALL}": {
            "Firewall": {
                "FirewallName": "f", "FirewallArn": FIREWALL, "FirewallPolicyArn": POLICY, "VpcId": "vpc-1",
                "SubnetMappings": [{"SubnetId": "subnet-a"}],
            },
            "FirewallStatus": {
                "SyncStates": {"eu-west-1a": {"Attachment": {"SubnetId": "subnet-a", "EndpointId": "vpce-1"}}}
            },
        },
    }  # fmt: skip
    if policy is not None:
        answers[f"network-firewall.describe_firewall_policy#{POLICY}"] = {
            "FirewallPolicyResponse": {"FirewallPolicyArn": POLICY},
            "FirewallPolicy": policy,
        }
    for name, source in groups.items():
        answers[f"network-firewall.describe_rule_group#{name}"] = {
            "RuleGroupResponse": {"RuleGroupArn": name},
            "RuleGroup": {"RulesSource": source},
        }
    estate = translated(answers)
    assert estate.gaps == ()
    return estate.firewalls[f"{HERE}:{FIREWALL}"]


def stateful(*names: str) -> dict[str, Any]:
    return {"StatefulRuleGroupReferences": [{"ResourceArn": name} for name in names]}


def stateless(*names: str) -> dict[str, Any]:
    return {"StatelessRuleGroupReferences": [{"ResourceArn": name} for name in names]}


def test_a_firewall_names_its_subnets_and_the_endpoints_that_routes_lead_to(translated: Translate) -> None:
    found = firewall(translated, None)
    assert (found.network, found.subnets) == (f"{HERE}:vpc-1", {f"{HERE}:subnet-a"})
    assert found.endpoints == {f"{HERE}:vpce-1"}
    assert (found.filters, found.reason) == (None, "its policy was not read")


@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("policy", "filters"),
    [
        (FORWARD, False),
        (FORWARD | {"StatefulDefaultActions": ["aws:drop_strict"]}, False),
        (STRICT, False),
        (STRICT | {"StatefulDefaultActions": ["aws:alert_strict"]}, False),
        (STRICT | {"StatefulDefaultActions": ["aws:drop_strict", "aws:alert_strict"]}, True),
        (STRICT | {"StatefulDefaultActions": ["aws:drop_established"]}, True),
        (STRICT | {"StatefulDefaultActions": ["aws:drop_strict"], "StatelessDefaultActions": ["aws:pass"]}, False),
        ({"StatelessDefaultActions": ["aws:drop"]}, True),
        ({"StatelessDefaultActions": ["aws:drop", "metric"]}, True),
        ({"StatelessDefaultActions": []}, None),
    ],
)
def test_a_firewall_filters_only_when_its_policy_has_a_drop(
    translated: Translate, policy: dict[str, Any], *, filters: bool | None
) -> None:
    assert firewall(translated, policy).filters is filters


def pass_rule(**match: object) -> dict[str, Any]:
    rule = {"RuleDefinition": {"MatchAttributes": match, "Actions": ["aws:pass"]}, "Priority": 1}
    return {"StatelessRulesAndCustomActions": {"StatelessRules": [rule]}}


@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("match", "filters"),
    [
        ({}, False),
        ({"Destinations": [{"AddressDefinition": "0.0.0.0/0"}], "Protocols": [6]}, False),
        ({"Destinations": [{"AddressDefinition": "10.0.0.0/8"}]}, True),
        ({"Protocols": [1]}, True),
    ],
)
def test_a_stateless_pass_skips_inspection(translated: Translate, match: dict[str, object], *, filters: bool) -> None:
    policy = STRICT | {"StatefulDefaultActions": ["aws:drop_strict"]} | stateless("g")
    assert firewall(translated, policy, g=pass_rule(**match)).filters is filters


@pytest.mark.semantics(122)
def test_an_allow_list_in_default_order_lets_other_protocols_through(translated: Translate) -> None:
    source = {"RulesSourceList": LIST | {"GeneratedRulesType": "ALLOWLIST"}}
    loose = firewall(translated, FORWARD | stateful("g"), g=source)
    strict = firewall(translated, STRICT | {"StatefulDefaultActions": ["aws:drop_strict"]} | stateful("g"), g=source)
    assert loose.names == strict.names == ("*.example.com", "example.com", "example.org")
    assert (loose.filters, strict.filters) == (False, True)
    assert "no default drop" in loose.reason
    assert "forge" in strict.reason


@pytest.mark.parametrize("kind", ["DENYLIST", "ALERTLIST", "REJECTLIST"])
def test_other_lists_let_no_names_out(translated: Translate, kind: str) -> None:
    source = {"RulesSourceList": LIST | {"GeneratedRulesType": kind}}
    found = firewall(translated, FORWARD | stateful("g"), g=source)
    assert (found.names, found.filters) == ((), False)


@pytest.mark.semantics(122)
def test_names_bound_to_resolved_addresses_cannot_be_forged(translated: Translate) -> None:
    listed = {"Targets": ["example.org"], "GeneratedRulesType": "ALLOWLIST"}
    source = {"RulesSourceList": listed | {"TargetTypes": ["TLS_SNI", "AWS_ROUTE_53_RESOLVED_DOMAIN"]}}
    policy = STRICT | {"StatefulDefaultActions": ["aws:drop_strict"]} | stateful("g")
    assert "forge" not in firewall(translated, policy, g=source).reason


@pytest.mark.parametrize(
    ("rules", "filters"),
    [
        ("drop ip any any -> any any (sid:1;)", True),
        ('drop ip any any -> $EXTERNAL_NET any (msg:"no; way"; sid:1; rev:2;)', True),
        ("drop tcp any any -> any any (flow:established,to_server; sid:1;)", False),
        ("drop tcp any any -> any any (sid:1;)\ndrop udp any any -> any any (sid:2;)", True),
        ("reject ip any any -> any any (sid:1;)", True),
        ("drop ip $HOME_NET any -> any any (sid:1;)", None),
        ("drop ip $EXTERNAL_NET any -> $HOME_NET any (sid:1;)", False),
        ("drop ip any any -> any 22 (sid:1;)", False),
        ("drop tls any any -> any any (sid:1;)", False),
        ('drop ip any any -> any any (content:"x"; sid:1;)', False),
        ("# drop ip any any -> any any (sid:1;)", False),
        ("alert ip any any -> any any (sid:1;)", False),
        ("drop ip any any -> any any (sid:1;)\npass ip any any -> any any (sid:2;)", False),
        (
            "drop ip any any -> any any (sid:1;)\npass tcp any any -> any any (flow:not_established,to_server; sid:2;)",
            True,
        ),
        ("", False),
    ],
)  # fmt: skip
def test_in_default_order_only_a_rule_for_everything_filters(
    translated: Translate, rules: str, *, filters: bool | None
) -> None:
    assert firewall(translated, FORWARD | stateful("g"), g={"RulesString": rules}).filters is filters


@pytest.mark.parametrize(("protocol", "filters"), [("IP", False), ("TCP", False), ("ICMP", True)])
def test_a_stateful_pass_for_everything_undoes_the_default_drop(
    translated: Translate, protocol: str, *, filters: bool
) -> None:
    header = {"Protocol": protocol, "Direction": "ANY"} | dict.fromkeys(
        ("Source", "SourcePort", "Destination", "DestinationPort"), "ANY"
    )
    rule = {"Action": "PASS", "Header": header, "RuleOptions": [{"Keyword": "sid", "Settings": ["1"]}]}
    policy = STRICT | {"StatefulDefaultActions": ["aws:drop_strict"]} | stateful("g")
    assert firewall(translated, policy, g={"StatefulRules": [rule]}).filters is filters


@pytest.mark.parametrize(
    "options",
    [
        [{"Keyword": "sid:1"}],
        [{"Keyword": "sid", "Settings": ["1"]}],
        [{"Keyword": 'msg:"a: b"'}, {"Keyword": "sid:112233"}, {"Keyword": "rev", "Settings": ["2"]}],
    ],
)
def test_an_option_may_hold_its_value_in_its_keyword(translated: Translate, options: list[object]) -> None:
    header = dict.fromkeys(("Source", "SourcePort", "Destination", "DestinationPort"), "ANY")
    rule = {"Action": "PASS", "Header": header | {"Protocol": "IP", "Direction": "ANY"}, "RuleOptions": options}
    policy = STRICT | {"StatefulDefaultActions": ["aws:drop_strict"]} | stateful("g")
    assert firewall(translated, policy, g={"StatefulRules": [rule]}).filters is False


@pytest.mark.semantics(201)
@pytest.mark.parametrize(
    ("source", "destination", "filters"),
    [
        ("any", "[0.0.0.0/1,128.0.0.0/1]", False),
        ("10.0.0.0/16", "[0.0.0.0/1, 128.0.0.0/1]", False),
        ("10.0.0.0/8", "0.0.0.0/0", False),
        # What holds for a part of the network may be all that a workload needs.
        ("10.0.1.0/24", "0.0.0.0/0", None),
        ("any", "[0.0.0.0/1,128.0.0.0/2]", False),
        ("any", "[0.0.0.0/0,!192.0.2.0/24]", False),
        ("any", "!$HOME_NET", False),
        ("any", "[0.0.0.0/2,!10.0.0.0/8]", True),
        ("any", "10.0.0.0/16", True),
        # No rule group says what this is.
        ("any", "$PARTNERS", None),
        ("any", "@PARTNERS", None),
    ],
)
def test_halves_of_the_internet_are_the_internet_and_all_of_its_network_is_everyone(
    translated: Translate, source: str, destination: str, *, filters: bool | None
) -> None:
    rules = f"pass tcp {source} any -> {destination} any (sid:1;)"
    policy = STRICT | {"StatefulDefaultActions": ["aws:drop_strict"]} | stateful("g")
    assert firewall(translated, policy, g={"RulesString": rules}).filters is filters


ALLOWED = {"RulesSourceList": LIST | {"GeneratedRulesType": "ALLOWLIST"}}
NAMES = ("*.example.com", "example.com", "example.org")
ESTABLISHED = STRICT | {"StatefulDefaultActions": ["aws:drop_established"]}


# A rule that passes, and asks for no name, ends the inspection of what it matches, whatever an allow-list says:
# https://docs.aws.amazon.com/network-firewall/latest/developerguide/suricata-rule-evaluation-order.html
@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("rules", "filters", "names"),
    [
        ("", True, NAMES),
        # The ports of the web, or its protocols, to everywhere: the firewall filters, and names decide nothing.
        ("pass tcp $HOME_NET any -> $EXTERNAL_NET 443 (sid:1;)", True, ()),
        ("pass tcp $HOME_NET any -> $EXTERNAL_NET 80 (sid:1;)", True, ()),
        ("pass udp $HOME_NET any -> any 443 (sid:1;)", True, ()),
        ("pass tcp any any -> any [22,443] (flow:to_server,established; alert; sid:1;)", True, ()),
        ("pass tls any any -> any any (sid:1;)", True, ()),
        ("pass http any any -> any 8080 (sid:1;)", True, ()),
        ("pass quic $HOME_NET any -> $EXTERNAL_NET any (sid:1;)", True, ()),
        ('pass tls any any -> any any (tls.sni; content:"."; sid:1;)', True, ()),
        ('pass tls any any -> any any (tls.sni; content:"|2e|"; sid:1;)', True, ()),
        ("pass tls any any -> 0.0.0.0/1 any (sid:1;)\npass tls any any -> 128.0.0.0/1 any (sid:2;)", True, ()),
        # Most ports are every connection, whatever is left out.
        ("pass tcp $HOME_NET any -> $EXTERNAL_NET [1:65535] (sid:1;)", False, NAMES),
        ("pass tcp $HOME_NET any -> any !22 (sid:1;)", False, NAMES),
        ("pass tcp $HOME_NET any -> any [1:65535,![22,25]] (sid:1;)", False, NAMES),
        ("pass tcp any any <> any any (sid:1;)", False, NAMES),
        # Only some clients, or only under a condition: nobody knows whom it concerns.
        ("pass ip 10.0.3.0/24 any -> any any (sid:1;)", None, NAMES),
        ("pass ip any any <> 10.0.3.0/24 any (sid:1;)", None, NAMES),
        ("pass tcp 10.0.3.0/24 any -> any 443 (sid:1;)", None, NAMES),
        ('pass tls any any -> any any (tls.sni; pcre:"/example/"; sid:1;)', None, NAMES),
        ('pass tls any any -> any any (tls.sni; content:!"example.net"; sid:1;)', None, NAMES),
        ("pass tcp any any -> any 443 (flowbits:isset,seen; sid:1;)", None, NAMES),
        ("pass tcp any any -> any $WEB (sid:1;)", None, NAMES),
        ("pass tcp any any -> any 443 sid:1;", None, NAMES),
        # Other ports, other protocols, the start of connections, other directions, and a few addresses.
        ("pass tcp any any -> any 22 (sid:1;)", True, NAMES),
        ("pass udp any any -> any 53 (sid:1;)", True, NAMES),
        ("pass icmp any any -> any any (sid:1;)", True, NAMES),
        ("pass tcp any any -> any any (flow:not_established; sid:1;)", True, NAMES),
        ("pass tcp $EXTERNAL_NET 443 -> any any (flow:to_client; sid:1;)", True, NAMES),
        ("pass tcp $EXTERNAL_NET any -> $HOME_NET 443 (sid:1;)", True, NAMES),
        ("pass tcp any any -> 192.0.2.0/24 443 (sid:1;)", True, NAMES),
        ('pass tls any any -> any any (tls.sni; content:"example.org"; sid:1;)', True, NAMES),
        ("alert tcp any any -> any 443 (sid:1;)", True, NAMES),
    ],
)  # fmt: skip
def test_an_allow_list_decides_only_where_no_rule_passes_web_traffic_to_every_name(
    translated: Translate, rules: str, *, filters: bool | None, names: tuple[str, ...]
) -> None:
    found = firewall(translated, ESTABLISHED | stateful("list", "g"), list=ALLOWED, g={"RulesString": rules})
    assert (found.filters, found.names) == (filters, names)


@pytest.mark.parametrize(("port", "filters"), [("443", True), ("[80:65535]", False)])
def test_a_rule_of_five_fields_passes_by_the_ports_that_it_names(
    translated: Translate, port: str, *, filters: bool
) -> None:
    header = {"Protocol": "TCP", "Direction": "FORWARD", "DestinationPort": port} | dict.fromkeys(
        ("Source", "SourcePort", "Destination"), "ANY"
    )
    rules = {"StatefulRules": [{"Action": "PASS", "Header": header, "RuleOptions": [{"Keyword": "sid:1"}]}]}
    found = firewall(translated, ESTABLISHED | stateful("list", "g"), list=ALLOWED, g=rules)
    assert found.filters is filters
    assert filters is False or found.names == ()


def test_a_name_is_what_a_rule_looks_for_in_the_name_of_the_server(translated: Translate) -> None:
    rules = 'pass http any any -> any 80 (http.host; content:"example.net"; http.uri; content:"/api"; sid:1;)'
    assert firewall(translated, ESTABLISHED | stateful("g"), g={"RulesString": rules}).names == ("example.net",)
    rules = 'pass http any any -> any 80 (content:"example.net"; http_host; content:"/api"; http_uri; sid:1;)'
    assert firewall(translated, ESTABLISHED | stateful("g"), g={"RulesString": rules}).names == ("example.net",)


@pytest.mark.parametrize(("definition", "filters"), [(["192.0.2.0/24"], True), (["0.0.0.0/1", "128.0.0.0/1"], False)])
def test_the_variables_of_a_rule_group_are_looked_up(
    translated: Translate, definition: list[str], *, filters: bool
) -> None:
    rules = "pass tcp any any -> $PARTNERS $PORTS (sid:1;)"
    answer = {
        "RuleGroupResponse": {"RuleGroupArn": "g"},
        "RuleGroup": {
            "RulesSource": {"RulesString": rules},
            "RuleVariables": {
                "IPSets": {"PARTNERS": {"Definition": definition}},
                "PortSets": {"PORTS": {"Definition": ["1:1023", "1024:65535"]}},
            },
        },
    }
    policy = {
        "FirewallPolicyResponse": {"FirewallPolicyArn": POLICY},
        "FirewallPolicy": ESTABLISHED | stateful("g"),
    }
    described = {"FirewallName": "f", "FirewallArn": FIREWALL, "FirewallPolicyArn": POLICY, "VpcId": "vpc-1"}
    estate = translated({
        f"network-firewall.describe_firewall#{FIREWALL}": {"Firewall": described},
        f"network-firewall.describe_firewall_policy#{POLICY}": policy,
        "network-firewall.describe_rule_group#g": answer,
    })  # fmt: skip
    assert estate.firewalls[f"{HERE}:{FIREWALL}"].filters is filters


def test_all_of_the_network_is_everyone_in_a_variable_too(translated: Translate) -> None:
    rules = "pass tcp $HOME_NET any -> any any (sid:1;)"
    assert firewall(translated, ESTABLISHED | stateful("g"), g={"RulesString": rules}).filters is False


def stateless_rule(action: str, *destinations: str, **match: object) -> dict[str, Any]:
    match["Destinations"] = [{"AddressDefinition": each} for each in destinations]
    rule = {"RuleDefinition": {"MatchAttributes": match, "Actions": [action]}, "Priority": 1}
    return {"StatelessRulesAndCustomActions": {"StatelessRules": [rule]}}


# A packet that matches a stateless rule never meets the default action, and what is forwarded meets the stateful rules:
# https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-policy-processing.html
@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("stateless_group", "policy", "filters", "reason"),
    [
        (stateless_rule("aws:forward_to_sfe", "0.0.0.0/0", Protocols=[6, 17]), {}, False, "no default drop"),
        (stateless_rule("aws:forward_to_sfe", "0.0.0.0/1", "128.0.0.0/1"), {}, False, "no default drop"),
        (stateless_rule("aws:forward_to_sfe"), STRICT, False, "drops nothing"),
        (stateless_rule("aws:forward_to_sfe"), ESTABLISHED, True, "stateful default action"),
        (stateless_rule("aws:forward_to_sfe", "10.0.0.0/8"), {}, True, "stateless default action drops"),
        (stateless_rule("aws:forward_to_sfe", Protocols=[1]), {}, True, "stateless default action drops"),
        (stateless_rule("aws:drop"), {}, True, "stateless default action drops"),
    ],
)  # fmt: skip
def test_a_stateless_default_that_drops_decides_only_what_no_rule_forwards(
    translated: Translate, stateless_group: dict[str, Any], policy: dict[str, Any], *, filters: bool, reason: str
) -> None:
    whole = policy | {"StatelessDefaultActions": ["aws:drop"]} | stateless("s") | stateful("g")
    found = firewall(translated, whole, s=stateless_group, g=ALLOWED)
    assert found.filters is filters
    assert reason in found.reason


@pytest.mark.semantics(122, 201)
def test_a_stateless_pass_to_all_quarters_of_the_internet_skips_inspection(translated: Translate) -> None:
    quarters = ("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2")
    whole = stateless_rule("aws:pass", *quarters)
    assert firewall(translated, ESTABLISHED | stateless("s"), s=whole).filters is False
    assert firewall(translated, ESTABLISHED | stateless("s"), s=stateless_rule("aws:pass", quarters[0])).filters is True


EVERYWHERE = [{"AddressDefinition": "0.0.0.0/0"}]
TO_53 = [{"FromPort": 53, "ToPort": 53}]


def stateless_rules(*rules: tuple[int, str, dict[str, object]]) -> dict[str, Any]:
    """Rules with their priorities, in any order."""
    listed = [
        {"RuleDefinition": {"MatchAttributes": match, "Actions": [action]}, "Priority": priority}
        for priority, action, match in rules
    ]
    return {"StatelessRulesAndCustomActions": {"StatelessRules": listed}}


@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("match", "filters"),
    [
        ({"DestinationPorts": TO_53, "Protocols": [6, 17]}, None),
        ({"DestinationPorts": [{"FromPort": 0, "ToPort": 65535}]}, False),
        ({"DestinationPorts": [{"FromPort": 0, "ToPort": 20000}, {"FromPort": 20001, "ToPort": 65535}]}, False),
        ({"SourcePorts": TO_53}, None),
        ({"Sources": [{"AddressDefinition": "10.77.0.0/16"}]}, None),
        ({"Sources": EVERYWHERE}, False),
        ({"TCPFlags": [{"Flags": ["ACK"], "Masks": ["ACK"]}], "Protocols": [6]}, None),
        # Who may send any UDP to everywhere needs no TCP.
        ({"Protocols": [17]}, False),
        ({"Protocols": [17], "DestinationPorts": TO_53}, None),
        ({"Destinations": [{"AddressDefinition": "10.0.0.0/8"}], "DestinationPorts": TO_53}, True),
    ],
)
def test_a_stateless_pass_for_some_packets_only_leaves_open_whether_the_firewall_filters(
    translated: Translate, match: dict[str, object], *, filters: bool | None
) -> None:
    rules = stateless_rules((1, "aws:pass", match))
    assert firewall(translated, ESTABLISHED | stateless("s"), s=rules).filters is filters
    dropping = {"StatelessDefaultActions": ["aws:drop"]} | stateless("s")
    assert firewall(translated, dropping, s=rules).filters is filters


# The rule of the lowest number decides, whatever their order in the answer:
# https://docs.aws.amazon.com/network-firewall/latest/developerguide/stateless-rule-groups-standard.html
@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("earlier", "match", "filters"),
    [
        ("aws:drop", {}, None),
        ("aws:forward_to_sfe", {}, None),
        ("aws:drop", {"DestinationPorts": TO_53}, False),
        ("aws:drop", {"Destinations": [{"AddressDefinition": "10.0.0.0/8"}]}, False),
        # What is dropped of UDP leaves TCP to the rule that passes it.
        ("aws:drop", {"Protocols": [17]}, False),
    ],
)
def test_a_stateless_pass_behind_another_rule_passes_what_that_one_leaves(
    translated: Translate, earlier: str, match: dict[str, object], *, filters: bool | None
) -> None:
    rules = stateless_rules((20, "aws:pass", {}), (10, earlier, match))
    assert firewall(translated, ESTABLISHED | stateless("s"), s=rules).filters is filters
    swapped = stateless_rules((10, "aws:pass", {}), (20, earlier, match))
    assert firewall(translated, ESTABLISHED | stateless("s"), s=swapped).filters is False


@pytest.mark.semantics(122)
@pytest.mark.parametrize(("first", "filters"), [("pass", False), ("drop", None), ("unread", None)])
def test_rule_groups_are_asked_in_the_order_of_their_priorities(
    translated: Translate, first: str, *, filters: bool | None
) -> None:
    order = [first, *({"pass", "drop", "unread"} - {first})]
    listed = [{"ResourceArn": name, "Priority": order.index(name)} for name in ("drop", "pass", "unread")]
    whole = ESTABLISHED | {"StatelessRuleGroupReferences": listed}
    groups = {"pass": stateless_rules((1, "aws:pass", {})), "drop": stateless_rules((1, "aws:drop", {}))}
    assert firewall(translated, whole, **groups).filters is filters


@pytest.mark.semantics(122)
def test_what_a_stateless_rule_forwards_of_udp_meets_the_stateful_rules(translated: Translate) -> None:
    whole = {"StatelessDefaultActions": ["aws:drop"]} | stateless("s")
    rules = stateless_rules((1, "aws:forward_to_sfe", {"Protocols": [17]}))
    found = firewall(translated, whole, s=rules)
    assert (found.filters, "no default drop" in found.reason) == (False, True)


def test_a_rule_group_that_was_not_read_is_unknown_unless_aws_keeps_it(translated: Translate) -> None:
    managed = "arn:aws:network-firewall:eu-west-1:aws-managed:stateful-rulegroup/ThreatSignaturesBotnet"
    drop = STRICT | {"StatefulDefaultActions": ["aws:drop_strict"]}
    assert firewall(translated, drop | stateful("unread")).filters is None
    assert firewall(translated, drop | stateless("unread")).filters is None
    assert firewall(translated, drop | stateful(managed)).filters is True


def test_names_in_suricata_rules_are_names_too(translated: Translate) -> None:
    rules = 'pass tls any any -> any 443 (tls.sni; dotprefix; content:".example.net"; endswith; sid:1;)'
    policy = STRICT | {"StatefulDefaultActions": ["aws:drop_established"]} | stateful("g")
    assert firewall(translated, policy, g={"RulesString": rules}).names == ("*.example.net", "example.net")


@pytest.mark.semantics(127)
def test_a_firewall_of_a_transit_gateway_stands_there(translated: Translate) -> None:
    wire = {"FirewallName": "f", "FirewallArn": FIREWALL, "TransitGatewayId": "tgw-1"}
    status = {"TransitGatewayAttachmentSyncState": {"AttachmentId": "tgw-attach-1"}}
    answer = {"Firewall": wire | {"TransitGatewayOwnerAccountId": "111122223333"}, "FirewallStatus": status}
    found = translated({"network-firewall.describe_firewall#f": answer}).firewalls[f"{HERE}:{FIREWALL}"]
    assert (found.network, found.endpoints) == (f"{HERE}:tgw-1", {f"{HERE}:tgw-attach-1"})


def test_a_listed_firewall_that_was_not_described_is_a_gap(translated: Translate) -> None:
    estate = translated({"network-firewall.list_firewalls": [{"FirewallName": "f", "FirewallArn": FIREWALL}]})
    assert [(gap.resource, gap.reason) for gap in estate.gaps] == [(FIREWALL, "unread")]


def test_hostile_rules_are_read_in_no_time() -> None:
    texts = [
        "pass ip " + "[ " * 50_000,
        "pass ip any any -> any any (" + 'a:"' * 50_000,
        "[" * 100_000,
        "\\\n" * 50_000,
    ]
    assert [list(rules_in(text)) for text in texts] == [[], [], [], []]
