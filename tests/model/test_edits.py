"""An edit changes the estate handed back, and never the one handed in."""

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.errors import EditError
from cloudseg.model import (
    AddEndpoint,
    AddFlowLog,
    AddRule,
    AddRuleSet,
    Attach,
    Carries,
    CreateGroup,
    Detach,
    Edit,
    Endpoint,
    Estate,
    FlowLog,
    Group,
    Labelled,
    RemoveGroup,
    RemoveRule,
    RemoveRuleSet,
    RuleSet,
    Service,
    SetLabel,
    SetPublicAccess,
)
from cloudseg.traffic import NO_ADDRESSES, AddressSet

qualified = EstateBuilder.id
HTTPS = allow("ingress", "tcp/443", "10.0.0.0/8", rule_id="sgr-1")


def estate() -> Estate:
    builder = EstateBuilder()
    builder.group("sg-web", HTTPS)
    builder.group("sg-app", allow("ingress", "tcp/8080", "sg-web", rule_id="sgr-2"))
    builder.group("sg-free")
    builder.interface("eni-1", groups=["sg-web"])
    builder.put("services", Service(id=qualified("db-1"), kind="rds-instance", service="rds", public=True))
    return builder.build()


def test_adding_a_rule_leaves_the_estate_before_as_it_was() -> None:
    before = estate()
    rule = allow("ingress", "tcp/80", "0.0.0.0/0", rule_id="sgr-9")
    after = before.with_edits([AddRule(qualified("sg-web"), rule)])
    assert after.rule_sets[qualified("sg-web")].rules == (HTTPS, rule)
    assert before.rule_sets[qualified("sg-web")].rules == (HTTPS,)


def test_an_edit_and_its_opposite_give_the_same_estate() -> None:
    before = estate()
    rule = allow("ingress", "tcp/80", "0.0.0.0/0", rule_id="sgr-9")
    pairs: list[tuple[Edit, Edit]] = [
        (AddRule(qualified("sg-web"), rule), RemoveRule(qualified("sg-web"), "sgr-9")),
        (Attach(qualified("eni-1"), qualified("sg-app")), Detach(qualified("eni-1"), qualified("sg-app"))),
        (SetLabel(qualified("eni-1"), "tier", "web"), SetLabel(qualified("eni-1"), "tier", None)),
    ]
    for there, back in pairs:
        assert before.with_edits([there]) != before
        assert before.with_edits([there, back]) == before


def test_membership_follows_the_edit_because_selectors_are_evaluated_again() -> None:
    before = estate()
    after = before.with_edits([Attach(qualified("eni-1"), qualified("sg-app"))])
    assert [i.own_id for i in after.members(qualified("sg-app"))] == ["eni-1"]
    assert before.members(qualified("sg-app")) == ()
    assert [r.own_id for r in after.judging(after.interfaces[qualified("eni-1")], "security-groups")] == [
        "sg-app",
        "sg-web",
    ]


def test_a_label_can_bring_a_rule_set_to_bear() -> None:
    isolating = RuleSet(id=qualified("np-1"), kind="policy", stage="policies", applies=Labelled("app", "Exists"))
    before = estate().with_edits([AddRuleSet(isolating)])
    after = before.with_edits([SetLabel(qualified("eni-1"), "app", "shop")])
    assert before.judging(before.interfaces[qualified("eni-1")], "policies") == ()
    assert after.judging(after.interfaces[qualified("eni-1")], "policies") == (isolating,)
    assert after.with_edits([RemoveRuleSet(isolating.id)]).rule_sets_at("policies") == ()


def test_settings_endpoints_logs_and_groups_can_be_changed() -> None:
    group = Group(id=qualified("sg-new"), kind="security-group", selector=Carries(qualified("sg-new")))
    endpoint = Endpoint(
        id=qualified("vpce-1"),
        kind="vpc-endpoint",
        network=qualified("vpc-1"),
        type="gateway",
        service="s3",
        usable=True,
    )
    log = FlowLog(id=qualified("fl-1"), kind="flow-log", target=qualified("vpc-1"), traffic="all", delivers=True)
    after = estate().with_edits(
        [
            SetPublicAccess(qualified("db-1"), public=False, sources=NO_ADDRESSES),
            CreateGroup(group),
            AddEndpoint(endpoint),
            AddFlowLog(log),
            RemoveGroup(qualified("sg-free")),
        ]
    )
    assert after.services[qualified("db-1")].public is False
    assert after.services[qualified("db-1")].sources == AddressSet.parse("none")
    assert after.groups[group.id] == group
    assert after.endpoints[endpoint.id] == endpoint
    assert after.flow_logs[log.id] == log
    assert qualified("sg-free") not in after.groups


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (AddRule(qualified("sg-none"), HTTPS), "sg-none is not in the estate"),
        (AddRule(qualified("sg-web"), HTTPS), "already has a rule of that id"),
        (RemoveRule(qualified("sg-web"), "sgr-none"), "has no such rule"),
        (RemoveRuleSet(qualified("sg-none")), "sg-none is not in the estate"),
        (Attach(qualified("eni-1"), qualified("sg-web")), "already carries it"),
        (Attach(qualified("eni-none"), qualified("sg-web")), "eni-none is not in the estate"),
        (Detach(qualified("eni-1"), qualified("sg-app")), "does not carry it"),
        (RemoveGroup(qualified("sg-web")), "eni-1 still carries it"),
        (SetPublicAccess(qualified("db-none"), public=True, sources=NO_ADDRESSES), "db-none is not in the estate"),
        (
            CreateGroup(Group(id=qualified("sg-web"), kind="security-group", selector=Carries(qualified("sg-web")))),
            "the estate already has it",
        ),
    ],
)
def test_an_edit_that_does_not_fit_says_why(edit: Edit, named: str) -> None:
    with pytest.raises(EditError, match=named):
        estate().with_edits([edit])


def test_a_group_that_a_rule_names_cannot_be_removed() -> None:
    before = estate().with_edits([Detach(qualified("eni-1"), qualified("sg-web"))])
    with pytest.raises(EditError, match="a rule of aws:111122223333:eu-west-1:sg-app names it"):
        before.with_edits([RemoveGroup(qualified("sg-web"))])
