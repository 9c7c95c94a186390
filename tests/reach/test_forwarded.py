"""What comes from outside through load balancers that keep their clients' addresses: verdicts, explanations, counts.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.reach.comparing.compare import compare
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.names import NameIndex
from cloudseg.reach.reachability import NOTHING, Reachability, Verdict
from cloudseg.reach.spread.exposure import exposure_of
from cloudseg.reporters import RenderOptions
from cloudseg.reporters.reach_answer import ReachAnswer
from cloudseg.reporters.reach_formats import REACH_FORMATS
from cloudseg.traffic import AddressSet, Traffic
from tests.reach.balancers import at_most, exactly
from tests.reach.public_balancers import CLIENT, SENT, public_balancer

if TYPE_CHECKING:
    from cloudseg.reach.explaining.explanation import Explanation

q = EstateBuilder.id
pytestmark = pytest.mark.semantics(42)


def delivered(builder: EstateBuilder, source: str = CLIENT, target: str = "eni-app") -> Verdict:
    return Reachability(builder.build()).delivered(AddressSet.parse(source), q(target))


def told(builder: EstateBuilder, traffic: str = SENT, source: str = CLIENT) -> Explanation:
    reach = Reachability(builder.build())
    return explain(reach, AddressSet.parse(source), q("eni-app"), Traffic.parse(traffic))


def answer(builder: EstateBuilder, source: str = "internet") -> ReachAnswer:
    estate = builder.build()
    names = NameIndex(estate)
    return ReachAnswer(Reachability(estate), (), names.find(source, "--from"), names.find("eni-app", "--to"))


def written(asked: ReachAnswer, form: str) -> str:
    stream = io.StringIO()
    REACH_FORMATS[form].write(asked, stream, RenderOptions(width=200))
    return stream.getvalue()


def by_internet(builder: EstateBuilder) -> tuple[int, int]:
    found = exposure_of(Reachability(builder.build())).administration
    return found.from_internet, found.from_internet_at_most


def test_a_client_of_a_balancer_that_keeps_its_address_arrives_at_the_target() -> None:
    assert delivered(public_balancer()) == exactly(SENT)
    # To the pairs of the matrix these stay two ways, of which neither leads from outside to the target.
    reach = Reachability(public_balancer().build())
    assert reach.between(AddressSet.parse(CLIENT), q("eni-app")) == NOTHING
    assert reach.between(AddressSet.parse(CLIENT), q("node")) == exactly("tcp/443")


def test_the_target_is_asked_about_the_clients_address() -> None:
    assert delivered(public_balancer(), "192.0.2.7") == NOTHING
    assert delivered(public_balancer(admits="10.0.0.0/8")) == NOTHING


def test_the_groups_of_the_balancer_are_asked_about_the_client_too() -> None:
    assert delivered(public_balancer(lb_admits="10.0.0.0/8")) == NOTHING
    assert delivered(public_balancer(admits="0.0.0.0/0", lb_admits="192.0.2.0/24"), "192.0.2.7") == exactly(SENT)


def test_a_rule_that_names_the_balancers_group_admits_its_clients() -> None:
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    assert delivered(public_balancer(admits="sg-lb")) == exactly(SENT)


def test_the_network_acl_of_the_target_is_asked_about_the_client() -> None:
    builder = public_balancer()
    denial = acl_entry("ingress", 50, "all", "198.51.100.0/24", deny=True)
    both = (acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, "all", "0.0.0.0/0"))
    builder.acl("acl-app", ["subnet-private"], (denial, *both))
    assert delivered(builder) == NOTHING
    found = told(builder)
    assert found.verdict == "blocked"
    assert [rule.rule_set for rule in found.blocked_by] == [q("acl-app")]


def test_where_the_balancer_shows_its_own_address_no_client_arrives() -> None:
    assert delivered(public_balancer(keeps_client=False)) == NOTHING


@pytest.mark.parametrize("more", [{"keeps_client": None}, {"healthy": None}, {"nodes_read": False}])
def test_what_was_not_read_counts_at_most(more: dict[str, bool | None]) -> None:
    builder = public_balancer(**more)  # type: ignore[arg-type]
    assert delivered(builder) == at_most(SENT)
    assert by_internet(builder) == (0, 1)
    found = told(builder)
    assert (found.verdict, found.upper) == ("unknown", SENT)
    assert found.unknowns
    assert not [note for note in found.notes if "do not account" in note]


def test_clients_from_a_private_network_are_shown_by_an_internal_balancer() -> None:
    builder = public_balancer(admits="172.16.0.0/16")
    builder.route("rtb-public", "172.16.0.0/16", "private-gateway", "vgw-1")
    assert delivered(builder, "172.16.5.5").upper == Traffic.parse(SENT)
    # That is no way from the internet.
    assert by_internet(builder) == (0, 0)


def test_the_internet_counts_targets_that_it_reaches_under_its_own_addresses() -> None:
    assert by_internet(public_balancer()) == (1, 1)
    assert by_internet(public_balancer(lb_admits="10.0.0.0/8")) == (0, 0)
    assert by_internet(public_balancer(keeps_client=False)) == (0, 0)


def test_the_explanation_goes_through_the_balancer_to_the_lists_of_the_target() -> None:
    found = told(public_balancer())
    assert (found.verdict, found.lower) == ("allowed", SENT)
    texts = [step.text for step in found.steps]
    assert texts[0] == "to node of the load balancer lb, as tcp/443: public address and route to igw-1"
    assert "load balancer lb hands tcp/443 on to its targets tg as tcp/22, under its clients' addresses" in texts
    judged = [(step.direction, rule.text) for step in found.steps if step.kind == "stage" for rule in step.rules]
    assert judged == [
        ("ingress", "ingress tcp/443 from 0.0.0.0/0"),
        ("egress", "egress all to 0.0.0.0/0"),
        ("ingress", "ingress tcp/22 from 198.51.100.0/24"),
    ]
    assert [step.kind for step in found.steps].count("boundary") == 1
    assert found.steps[-2].kind == "reply"
    assert [rule.text for rule in found.would_block] == ["ingress tcp/22 from 198.51.100.0/24"]


@pytest.mark.parametrize(
    ("more", "stopper"), [({"admits": "192.0.2.0/24"}, "sg-app"), ({"lb_admits": "192.0.2.0/24"}, "sg-lb")]
)
def test_what_is_stopped_names_the_group_that_stops_it(more: dict[str, str], stopper: str) -> None:
    found = told(public_balancer(**more))  # type: ignore[arg-type]
    assert found.verdict == "blocked"
    assert [rule.rule_set for rule in found.blocked_by] == [q(stopper)]


def test_the_question_is_about_the_port_of_the_target() -> None:
    found = told(public_balancer(), "tcp/443")
    assert found.verdict == "blocked"
    assert (
        found.reason
        == "lb takes tcp/443 and hands it on as tcp/22, so that only tcp/22 can arrive here: ask about that"
    )


def test_a_blocked_explanation_says_what_the_balancer_opens_itself() -> None:
    found = told(public_balancer(keeps_client=False, admits="10.0.1.0/24"))
    assert found.verdict == "blocked"
    assert [note for note in found.notes if "connections of its own: tcp/22 arrives from its own interfaces" in note]
    closed = told(public_balancer(keeps_client=False, lb_admits="10.0.0.0/8", admits="10.0.1.0/24"))
    assert [note for note in closed.notes if "nothing of that reaches lb from these addresses" in note]


def test_the_answer_lists_what_comes_through_the_balancer() -> None:
    asked = answer(public_balancer())
    assert "external:198.51.100.0/24,,aws:111122223333:eu-west-1:eni-app,,tcp/22,exact" in written(asked, "csv")
    assert '"external:198.51.100.0/24"' in written(asked, "json")
    table = written(asked, "table")
    assert "Nothing passes" not in table
    assert "1 interface can be reached from outside" in table
    assert "hands tcp/443 as tcp/22 on to eni-app under its clients' addresses" in table


def test_what_is_not_certain_is_listed_at_most() -> None:
    assert ",tcp/22,at-most" in written(answer(public_balancer(keeps_client=None)), "csv")


def test_an_answer_without_flows_names_the_balancer_that_opens_its_own_connections() -> None:
    table = written(answer(public_balancer(keeps_client=False, admits="10.0.1.0/24")), "table")
    assert "under the senders' own addresses; load balancers stand before them: see the notes" in table
    assert "load balancer lb takes tcp/443 from there" in table
    assert "tcp/22 arrives from its own interfaces (node)" in table


def test_without_a_balancer_nothing_is_said_of_one() -> None:
    builder = EstateBuilder()
    builder.group("sg-app", allow("ingress", SENT, "0.0.0.0/0"))
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.50")
    assert answer(builder).nothing == "nothing passes between these ends"
    assert not answer(builder).notes


def test_a_comparison_tells_what_the_internet_gains_through_the_balancer() -> None:
    old, new = public_balancer(admits="10.0.0.0/16").build(), public_balancer().build()
    (change,) = (each for each in compare(old, new).gained if each.certain)
    assert (change.sources, change.targets) == (("external:198.51.100.0/24",), (q("eni-app"),))
    assert (str(change.lower), str(change.witness)) == (SENT, f"198.51.100.1 → 10.0.2.50 {SENT}")
    source = AddressSet.parse(change.witness.source_address)
    assert explain(Reachability(new), source, q("eni-app"), change.witness.traffic).verdict == "allowed"
    assert explain(Reachability(old), source, q("eni-app"), change.witness.traffic).verdict == "blocked"
    (gone,) = (each for each in compare(new, old).lost if each.certain)
    assert gone.sources == change.sources
