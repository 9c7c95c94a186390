"""What policies take for an identity, and that replies need no rule."""

from __future__ import annotations

import pytest

from cloudseg.traffic import Traffic
from tests.gcp.agreeing import Harness, translated
from tests.gcp.raw_parts import policy_rule, vpc
from tests.gcp.shapes import A, B, one_network, packet, verdict


@pytest.mark.semantics(75)
def test_a_network_tag_in_a_policy_is_a_condition_that_nobody_knows() -> None:
    raw = one_network()
    raw.policy("guard", ["main"], policy_rule(100, "allow", match={"srcNetworkTags": ["web"]}))
    estate = translated(raw.answers)
    found = [rule for each in estate.rule_sets.values() for rule in each.rules if rule.id == "ingress/100"]
    assert [rule.exact for rule in found] == [False]
    assert any("srcNetworkTags" in gap.detail for gap in estate.gaps)


@pytest.mark.semantics(75)
def test_an_account_is_an_identity_in_a_policy() -> None:
    raw = one_network()
    raw.policy("guard", ["main"], policy_rule(100, "allow", target_accounts=["b@shop.iam.gserviceaccount.com"]))
    estate = translated(raw.answers)
    locals_ = [rule.local for each in estate.rule_sets.values() for rule in each.rules if rule.id == "ingress/100"]
    assert [[type(peer).__name__ for peer in local] for local in locals_] == [["GroupRef"]]


@pytest.mark.semantics(83)
def test_replies_need_no_rule() -> None:
    raw = one_network(vpc("allow", "tcp:443", target_tags=["db"]), vpc("deny", egress=True, target_tags=["db"]))
    asked = packet(raw, A, B)
    assert verdict(raw, A, B) == "passes"
    assert not [*Harness(raw.answers).disagreements([asked], thorough=True)]
    assert verdict(raw, B, A) == "blocked"


@pytest.mark.semantics(79)
@pytest.mark.parametrize(("name", "expected"), [("shop/role-1/yes", "surely"), ("shop/role-1/gone", "perhaps")])
def test_a_secure_tag_by_another_name_is_looked_up_and_one_that_is_not_found_may_be_anybodys(
    name: str, expected: str
) -> None:
    raw = one_network(secure=True)
    for value in raw.listed("shop", "tag_values", "cloudresourcemanager"):
        value["namespacedName"] = f"shop/role-{str(value['name'])[-1]}/yes"
    raw.policy("guard", ["main"], policy_rule(100, "allow", "tcp:443", secure=[name]))
    engine = Harness(raw.answers).engine
    source, target = (
        next(each for each in engine.estate.interfaces if each.endswith(f"/instances/{own}/nic0")) for own in ("a", "b")
    )
    found, https = engine.between(source, target), Traffic.parse("tcp/443")
    assert https <= found.upper
    assert (https <= found.lower) is (expected == "surely")
