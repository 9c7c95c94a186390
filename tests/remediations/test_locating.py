"""Where the estate holds what findings are about, and what new rules and changes are called."""

from __future__ import annotations

import dataclasses

import msgspec

from cloudseg.checks.address_based_rule import CHECK
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.model import Estate, InSubnets, RuleSet
from cloudseg.model.edits import AddRule, Attach, CreateGroup, RemoveRule, SetPublicAccess
from cloudseg.remediations.context import RemedyContext
from cloudseg.remediations.naming import named
from cloudseg.remediations.words import edit_text, rule_text
from cloudseg.traffic import AddressSet


def _located(estate: Estate) -> list[tuple[str, str]]:
    """Return list and rule of every place of the first finding."""
    context = RemedyContext.of(estate)
    finding = next(iter(CHECK.run(context.audit(CHECK))))
    places = context.located(finding)
    return [(place.rule_set.own_id, "" if place.rule is None else place.rule.id) for place in places]


def _aws() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"), allow("ingress", "tcp/22", "sg-app"))
    b.group("sg-app")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def test_a_rule_of_a_group_is_found_in_its_group() -> None:
    assert _located(_aws()) == [("sg-db", "ingress/tcp/5432/10.0.2.0/24")]


def test_a_rule_that_was_changed_since_is_not_found() -> None:
    context = RemedyContext.of(_aws())
    finding = next(iter(CHECK.run(context.audit(CHECK))))
    other = msgspec.structs.replace(finding, rule=msgspec.structs.replace(finding.rule, traffic="tcp/1"))  # type: ignore[type-var]

    assert context.located(other) == ()


def test_a_finding_about_a_list_is_found_as_the_list() -> None:
    context = RemedyContext.of(_aws())
    finding = next(iter(CHECK.run(context.audit(CHECK))))

    (place,) = context.located(msgspec.structs.replace(finding, rule=None))
    assert (place.rule_set.own_id, place.rule) == ("sg-db", None)
    assert [type(each).__name__ for each in context.resources(finding)] == ["RuleSet", "Group"]


def test_an_nsg_is_found_at_all_its_places() -> None:
    b = NsgBuilder()
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/1433", "10.1.1.0/24"), subnet="data")
    b.machine("nic-web", "web", "10.1.1.10")
    estate = b.build()
    ((name, own),) = ((key, each) for key, each in estate.rule_sets.items() if key.endswith(nsg_id("nsg-data")))
    placed = {
        f"{name}@rg/vnet-1/{subnet}": msgspec.structs.replace(
            own, id=f"{name}@rg/vnet-1/{subnet}", applies=InSubnets(frozenset((b.subnet(subnet),)))
        )
        for subnet in ("data", "web")
    }

    found = _located(dataclasses.replace(estate, rule_sets=placed))

    assert found == [(nsg_id("nsg-data"), "inbound/rule-100")] * 2


def test_a_vpc_firewall_rule_is_found_by_the_resource_that_it_is() -> None:
    b = GcpBuilder()
    b.firewall(gcp_rule("db", "ingress", "tcp/5432", "10.2.1.0/24"), gcp_rule("web", "ingress", "tcp/443"))
    b.machine("web", "web", "10.2.1.10", account="web")
    b.machine("db", "data", "10.2.2.10", account="db")

    assert _located(b.build()) == [("global/networks/vpc/firewalls", "ingress/db")]


def test_new_rules_are_named_for_what_they_say_and_not_for_their_description() -> None:
    estate = _aws()
    group = estate.rule_sets[EstateBuilder.id("sg-db")]
    rule = allow("ingress", "tcp/443", "sg-app", description="one")
    again = allow("ingress", "tcp/443", "sg-app", description="two", rule_id="another")

    assert named(group, rule).id == named(group, again).id
    assert named(group, rule).id.startswith("cloudseg-")
    assert len(named(group, rule).id) == len("cloudseg-") + 8
    assert named(group, rule).id != named(group, allow("ingress", "tcp/444", "sg-app")).id
    assert named(group, rule).id != named(estate.rule_sets[EstateBuilder.id("sg-app")], rule).id


def test_new_rules_of_other_clouds_are_named_as_these_name_them() -> None:
    def listed(provider: str, *rules: object) -> RuleSet:
        return RuleSet(id=f"{provider}:scope:list", kind="list", stage="stage", rules=rules)  # type: ignore[arg-type]

    inbound = nsg_rule("ingress", 100, "tcp/1433", "10.1.1.0/24")
    assert named(listed("azure", inbound), inbound).id.startswith("inbound/cloudseg-")
    of_policy = gcp_rule("100", "ingress", "tcp/5432", "10.2.1.0/24", priority=99, vpc=False)
    assert named(listed("gcp", of_policy), of_policy).id == "ingress/99"
    of_network = gcp_rule("db", "ingress", "tcp/5432", "10.2.1.0/24")
    new = named(listed("gcp", of_network), of_network, of_network)
    assert new.resource == f"gcp:shop:global/firewalls/{new.id.removeprefix('ingress/')}"


def test_changes_are_told_in_short_lines() -> None:
    estate = _aws()
    own, app = EstateBuilder.id("sg-db"), EstateBuilder.id("sg-app")
    old = "ingress/tcp/5432/10.0.2.0/24"

    assert edit_text(AddRule(own, allow("ingress", "tcp/443", "sg-app"))) == "add to sg-db: ingress tcp/443 from sg-app"
    assert edit_text(RemoveRule(own, old), estate) == "remove from sg-db: ingress tcp/5432 from 10.0.2.0/24"
    assert edit_text(RemoveRule(own, old)) == f"remove from sg-db: {old}"
    assert edit_text(CreateGroup(estate.groups[app])) == "create group sg-app"
    assert edit_text(Attach(EstateBuilder.id("eni-app"), app)) == "attach sg-app to eni-app"
    assert rule_text(nsg_rule("egress", 100, "all", deny=True)) == "deny egress all to everyone at priority 100"
    closed = SetPublicAccess(EstateBuilder.id("db-1"), public=False, sources=AddressSet.parse("none"))
    assert edit_text(closed) == "close public access of db-1"
