"""What lets everything out becomes what is needed: groups, services, ports of names, ranges; and needs are kept."""

from __future__ import annotations

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, nic_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.flows.naming.values import ObservedName, ObservedNames
from cloudseg.intent import Allowance, Intent
from cloudseg.model import AddressList, Estate
from cloudseg.model.edits import AddRule
from cloudseg.plan.proof import prove
from cloudseg.remediations.context import RemedyContext
from cloudseg.remediations.egress_examples import EXAMPLES
from cloudseg.remediations.interface import Advice, RemedyExample
from cloudseg.remediations.restrict_egress import REMEDY
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic
from tests.remediations.judged import CHECKS, Answers, answered, assert_gains_nothing, losses

APP = EstateBuilder.id("eni-app")


def account(
    *egress: str, prefixes: str = "52.218.0.0/17", owner: str = "provider", region: str = "eu-west-1"
) -> Estate:
    b = EstateBuilder()
    b.group("sg-app", *(allow("egress", "all", each) for each in egress or ("0.0.0.0/0",)))
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.0.0/16"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.20")
    b.put(
        "address_lists",
        AddressList(
            id=b.id("pl-s3"),
            kind="prefix-list",
            name="com.amazonaws.eu-west-1.s3",
            region=region,
            prefixes=("52.218.0.0/17",),
            owner=owner,
            weight=1,
        ),
    )
    return b.build()


def sent(*ends: tuple[str, int]) -> ExampleConversations:
    rows = [seen("10.0.2.10", address, port, initiator_interface="eni-app") for address, port in ends]
    return ExampleConversations(rows, logs_of("eni-app", "eni-db"))


def known(*names: tuple[str, str], denied: int = 0) -> ObservedNames:
    return ObservedNames(
        tuple(
            ObservedName("aws", "111122223333", "vpc-1", "10.0.2.10", name, (address,), 1, 1, 1, denied)
            for name, address in names
        )
    )


def egress(
    estate: Estate,
    flows: ExampleConversations | None = None,
    names: ObservedNames | None = None,
    intent: Intent | None = None,
    check: str = "unrestricted-egress",
) -> Answers:
    context = RemedyContext.of(estate, flows=flows, names=names, intent=intent)
    own = next(each for each in CHECKS if each.id == check)
    findings = tuple(own.run(context.audit(own)))
    answers = tuple(answer for finding in findings for answer in REMEDY.propose(context, finding))
    return Answers(estate, context, findings, answers)


def assert_proved(judged: Answers) -> None:
    proof = prove(judged.estate, [change.edits for change in judged.changes], judged.context.demand)
    assert proof.holds, (proof.gained, proof.lost, proof.unknowns)
    assert proof.checked.needs or judged.context.intent is not None


def documents(judged: Answers) -> list[str]:
    return [step for each in judged.answers if isinstance(each, Advice) for step in each.steps if "```" in step]


@pytest.mark.parametrize("example", [pytest.param(each, id=each.name) for each in EXAMPLES if each.changes])
def test_the_proof_holds_for_every_example(example: RemedyExample) -> None:
    judged = answered(
        REMEDY,
        example.check,
        example.build(),
        intent=example.intent() if example.intent else None,
        flows=example.flows() if example.flows else None,
    )

    proof = prove(judged.estate, [change.edits for change in judged.changes], judged.context.demand)

    assert proof.holds, proof


def test_a_destination_with_a_name_is_no_list_of_addresses() -> None:
    judged = egress(account(), sent(("198.51.100.7", 443)), known(("api.example.com", "198.51.100.7")))

    assert judged.lines == (
        "add to sg-app: egress tcp/443 to 0.0.0.0/0",
        "remove from sg-app: egress all to 0.0.0.0/0",
    )
    assert_gains_nothing(judged)
    assert_proved(judged)
    allow_list, policy = documents(judged)
    assert '"api.example.com"' in allow_list
    assert '"ALLOWLIST"' in allow_list
    assert "aws:alert_established" in policy


def test_an_address_without_a_name_stays_with_an_owner_and_an_expiry_to_be_given() -> None:
    judged = egress(account(), sent(("198.51.100.7", 443), ("203.0.113.5", 22)), known(("a.example", "198.51.100.7")))

    assert judged.lines == (
        "add to sg-app: egress tcp/443 to 0.0.0.0/0",
        "add to sg-app: egress tcp/22 to 203.0.113.5",
        "remove from sg-app: egress all to 0.0.0.0/0",
    )
    rules = [edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule)]
    assert "owner not named yet; expires not decided yet" in rules[1].description
    assert any("203.0.113.5" in risk and "owner" in risk for risk in judged.proposals[0].risks)
    assert_proved(judged)


@pytest.mark.parametrize(
    ("owner", "region"), [("customer", "eu-west-1"), ("provider", "us-east-1")], ids=["own list", "other region"]
)
def test_only_lists_of_the_provider_and_of_the_region_name_services(owner: str, region: str) -> None:
    judged = egress(account(owner=owner, region=region), sent(("52.218.4.4", 443)))

    assert judged.lines[0] == "add to sg-app: egress tcp/443 to 52.218.4.4"


def test_a_service_is_named_by_its_list_even_where_its_name_is_known() -> None:
    names = known(("s3.eu-west-1.amazonaws.com", "52.218.4.4"))
    judged = egress(account(), sent(("52.218.4.4", 443)), names)

    assert judged.lines[0] == "add to sg-app: egress tcp/443 to pl-s3 (com.amazonaws.eu-west-1.s3)"
    assert_proved(judged)


def test_a_destination_inside_that_no_group_names_gets_one() -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-db", "subnet-private", [], "10.0.2.20")
    row = seen("10.0.2.10", "10.0.2.20", 5432, initiator_interface="eni-app", responder_interface="eni-db")

    judged = egress(b.build(), ExampleConversations([row], logs_of("eni-app", "eni-db")))

    made = judged.lines[0].removeprefix("create group ")
    assert judged.lines == (
        f"create group {made}",
        f"remove from {made}: default-egress",
        f"attach {made} to eni-db",
        f"add to sg-app: egress tcp/5432 to {made}",
        "remove from sg-app: egress all to 0.0.0.0/0",
    )


def test_both_families_are_narrowed_each_by_what_it_was_used_for() -> None:
    judged = egress(account("0.0.0.0/0", "::/0"), sent(("198.51.100.7", 443)))

    assert "remove from sg-app: egress all to 0.0.0.0/0" in judged.lines
    assert "remove from sg-app: egress all to ::/0" not in judged.lines


def test_connections_that_were_untracked_may_be_cut_and_that_is_said() -> None:
    judged = egress(account(), sent(("198.51.100.7", 443)))

    assert any("cut at once" in risk for risk in judged.proposals[0].risks)
    assert losses(judged.estate, judged.after), "everything else no longer leaves"


def test_hostile_names_are_in_no_list() -> None:
    evil = 'x"}],"y.example.com'
    names = known((evil, "198.51.100.7"), ("good.example.com", "198.51.100.8"))
    judged = egress(account(), sent(("198.51.100.7", 443), ("198.51.100.8", 443)), names)

    (text, _) = documents(judged)
    assert evil not in text
    assert "good.example.com" in text


def test_what_a_firewall_always_refused_is_no_name_of_a_destination() -> None:
    names = known(("bad.example", "198.51.100.7"), denied=1)
    judged = egress(account(), sent(("198.51.100.7", 443)), names)

    assert judged.lines[0] == "add to sg-app: egress tcp/443 to 198.51.100.7"
    assert documents(judged) == []


def test_without_evidence_nothing_is_narrowed() -> None:
    judged = egress(account())

    assert judged.changes == ()
    assert "no flow logs and no intent" in judged.reasons[0]


def test_a_group_that_a_controller_keeps_is_left_to_it() -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"), managed_by="eks")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    judged = egress(b.build(), sent(("198.51.100.7", 443)))

    assert judged.changes == ()
    assert "managed by eks" in judged.reasons[0]


def meant(
    name: str, *choice: str, groups: bool = False, target: str = "198.51.100.0/28", traffic: str = "tcp/8443"
) -> Intent:
    web = Segment(
        name=name,
        choice=Choice(groups=choice)
        if groups
        else Choice(ids=choice)
        if choice[0].startswith("eni-")
        else Choice(names=choice),
    )
    partner = Segment(name="partner", choice=Choice(addresses=AddressSet.parse(target)))
    allowed = Allowance(
        sources=(name,),
        targets=("partner",),
        traffic=Traffic.parse(traffic),
        owner="payments",
        expires="2027-01-31",
    )
    return Intent(segments=(web, partner), allow=(allowed,))


def test_an_owner_and_an_expiry_of_the_intent_stand_in_the_rule() -> None:
    intent = meant("app", "eni-app")
    judged = egress(
        account(),
        intent=Intent(
            segments=(Segment(name="app", choice=Choice(ids=("eni-app",))), intent.segments[1]), allow=intent.allow
        ),
    )

    (rule,) = [edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule)]
    assert "owner payments; expires 2027-01-31" in rule.description
    assert not any("nobody answers" in risk for risk in judged.proposals[0].risks)
    assert_proved(judged)


def vnet(*rules: str) -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-web", *(nsg_rule("egress", 100 + n, "all", each) for n, each in enumerate(rules)), subnet="web")
    b.machine("vm-web", "web", "10.1.1.4", "20.50.0.4")
    b.machine("vm-data", "data", "10.1.2.4")
    return b.build()


def test_an_nsg_denies_the_internet_behind_what_is_needed_and_keeps_the_virtual_network() -> None:
    judged = egress(vnet(), intent=meant("web", "vm-web"))

    assert judged.lines == (
        "add to nsg-web (rg): egress tcp/8443 to 198.51.100.0/28 at priority 4095",
        "add to nsg-web (rg): deny egress all to Internet at priority 4096",
    )
    assert_gains_nothing(judged)
    assert_proved(judged)
    inside = [(s, t) for s, t, _ in losses(judged.estate, judged.after) if any("vm-data" in one for one in t)]
    assert inside == []


def test_a_service_tag_names_a_service_of_azure() -> None:
    judged = egress(vnet(), intent=meant("web", "vm-web", target="52.236.184.7", traffic="tcp/1433"))

    assert judged.lines[0] == "add to nsg-web (rg): egress tcp/1433 to Sql.WestEurope at priority 4095"
    assert_proved(judged)


def test_a_rule_of_the_owners_that_lets_everything_out_goes_with_the_denial() -> None:
    judged = egress(vnet("*"), intent=meant("web", "vm-web"))

    assert judged.lines[-1] == "remove from nsg-web (rg): egress all to everyone at priority 100"
    assert "add to nsg-web (rg): deny egress all to Internet at priority 4096" in judged.lines
    assert_gains_nothing(judged)
    assert_proved(judged)


def network(*rules: object) -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("web", "ingress", "tcp/443", "10.2.0.0/16"), *rules)  # type: ignore[arg-type] # rules alone
    b.machine("web", "web", "10.2.1.10", tags=["web"], lent="34.1.2.3")
    return b.build()


OURS = meant("web", "global/networks/vpc/tags/web", groups=True)


def test_a_rule_that_denies_all_else_already_needs_no_other_denial() -> None:
    wide = gcp_rule("out", "egress", "all", priority=900)
    rest = gcp_rule("rest", "egress", "all", verdict="deny")
    judged = egress(network(wide, rest), intent=OURS)

    assert [line.partition(": ")[2] for line in judged.lines] == [
        "egress tcp/8443 to 198.51.100.0/28 at priority 900",
        "egress all to 0.0.0.0/0 at priority 900",
    ]
    assert_gains_nothing(judged)
    assert_proved(judged)


def test_the_inside_stays_open_where_the_implied_rule_let_everything_out() -> None:
    judged = egress(network(), intent=OURS)

    assert any("10.0.0.0/8" in line for line in judged.lines)
    assert judged.lines[-1].endswith("deny egress all to 0.0.0.0/0 at priority 65534")
    assert_gains_nothing(judged)
    assert_proved(judged)
    assert nic_id("web")


def test_a_rule_at_the_last_priority_leaves_no_place_for_the_denial() -> None:
    judged = egress(network(gcp_rule("late", "egress", "tcp/25", verdict="deny", priority=65534)), intent=OURS)

    assert judged.changes == ()
    assert "65534" in judged.reasons[0]


def test_a_way_out_without_a_firewall_is_for_people_with_the_list_of_names() -> None:
    names = known(("api.example.com", "198.51.100.7"))
    judged = egress(account(), sent(("198.51.100.7", 443)), names, check="unfiltered-internet-route")

    assert judged.changes == ()
    assert any("api.example.com" in each for each in documents(judged))


def test_names_without_addresses_are_in_the_list_of_the_firewall_and_widen_no_rule() -> None:
    names = ObservedNames((ObservedName("azure", "", "", "10.1.1.4", "api.example.com", (), 1, 1, 1),))
    judged = egress(vnet(), names=names, intent=meant("web", "vm-web"))

    assert judged.lines[0] == "add to nsg-web (rg): egress tcp/8443 to 198.51.100.0/28 at priority 4095"
    (text,) = documents(judged)
    assert '"targetFqdns": [\n        "api.example.com"' in text


def test_the_list_for_cilium_lets_its_proxy_see_dns() -> None:
    from cloudseg.remediations.allow_lists import allow_list_steps
    from cloudseg.remediations.destinations import Destinations

    text = "\n".join(allow_list_steps("kubernetes", Destinations(), "namespace shop", ("a.example.com", "*.b.example")))

    assert 'matchPattern: "*"' in text
    assert 'matchName: "a.example.com"' in text
    assert 'matchPattern: "*.b.example"' in text
    assert 'namespace: "shop"' in text


def test_the_list_for_google_cloud_holds_no_wildcards() -> None:
    from cloudseg.remediations.allow_lists import allow_list_steps
    from cloudseg.remediations.destinations import Destinations

    text = "\n".join(allow_list_steps("gcp", Destinations(), "vpc", ("a.example.com", "*.b.example")))

    assert "--dest-fqdns=a.example.com\n" in text
    assert "--layer4-configs=tcp:80,tcp:443" in text


def test_who_is_run_by_a_platform_is_not_shut_in_by_an_intent_alone() -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10", managed_by="lambda")
    estate = b.build()
    intent = meant("app", "eni-app")

    alone = egress(estate, intent=intent)
    logged = egress(estate, sent(("198.51.100.7", 443)), intent=intent)

    assert alone.changes == ()
    assert "run by a service of the platform" in alone.reasons[0]
    assert logged.changes


def test_a_subnet_of_the_platforms_gateways_is_left_to_its_owner() -> None:
    b = NsgBuilder()
    b.nsg("nsg-web", subnet="web")
    b.machine("vm-web", "web", "10.1.1.4", "20.50.0.4")
    subnet = b.build().subnets[b.subnet("web")]
    b.put("subnets", msgspec.structs.replace(subnet, delegated=("Microsoft.Web/serverFarms",)))
    judged = egress(b.build(), intent=meant("web", "vm-web"))

    assert judged.changes == ()
    assert "delegated" in judged.reasons[0]


def test_an_intent_does_not_shut_in_whom_it_does_not_name() -> None:
    judged = egress(account(), intent=meant("other", "eni-db"))

    assert judged.changes == ()
    assert "in no segment" in judged.reasons[0]


def test_nodes_of_a_cluster_are_run_by_a_platform_as_their_tags_say() -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10", tags={"kubernetes.io/cluster/shop": "owned"})
    judged = egress(b.build(), intent=meant("app", "eni-app"))

    assert judged.changes == ()
