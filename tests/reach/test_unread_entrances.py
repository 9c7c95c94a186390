"""Where accelerators and origins were not read, upper bounds hold what they may let in; checks keep their word."""

import pytest

from cloudseg.checks import internet_exposed_port, latent_internet_rule
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.model import Estate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.spread.exposure import exposure_of
from cloudseg.traffic import AddressSet, Traffic

ID = EstateBuilder.id
CLIENT = AddressSet.parse("198.51.100.7")


def private(*unread: str, admits: str = "0.0.0.0/0", block: bool = False) -> Estate:
    b = EstateBuilder(unread=unread)
    b.group("sg-web", allow("ingress", "tcp/443", admits))
    if block:
        b.subnet("subnet-private", "10.0.2.0/24", internet_block="bidirectional")
    b.interface("eni-web", "subnet-private", ["sg-web"], "10.0.2.5")
    return b.build()


def bounds(estate: Estate) -> tuple[str, str]:
    found = Reachability(estate)
    whole = found.between(CLIENT, ID("eni-web"))
    told = explain(found, CLIENT, ID("eni-web"), Traffic.parse("tcp/443"))
    assert (told.lower, told.upper) == (str(whole.lower), str(whole.upper))
    return told.lower, told.upper


@pytest.mark.semantics(15, 33)
def test_an_accelerator_that_was_not_read_may_lead_to_what_rules_admit() -> None:
    assert bounds(private("entrances")) == ("none", "tcp/443")
    assert bounds(private()) == ("none", "none")


def test_what_rules_do_not_admit_does_not_come() -> None:
    assert bounds(private("entrances", admits="203.0.113.0/24")) == ("none", "none")


def test_a_block_of_public_access_stops_what_was_not_read_too() -> None:
    assert bounds(private("entrances", block=True)) == ("none", "none")


@pytest.mark.semantics(33, 42)
def test_a_load_balancer_that_was_not_read_may_lead_to_what_rules_admit() -> None:
    assert bounds(private("load-balancers")) == ("none", "tcp/443")
    assert bounds(private("load-balancers", admits="203.0.113.0/24")) == ("none", "none")


@pytest.mark.semantics(33, 42)
def test_a_block_of_the_targets_own_subnet_does_not_stop_an_unread_load_balancer() -> None:
    assert bounds(private("load-balancers", block=True)) == ("none", "tcp/443")


@pytest.mark.semantics(33, 42)
def test_why_it_is_not_known_names_the_load_balancers_once() -> None:
    told = explain(Reachability(private("load-balancers")), CLIENT, ID("eni-web"), Traffic.parse("tcp/443"))
    assert [text for text in told.unknowns if "may lead here" in text] == [
        "the load balancers were not read: one that keeps its clients' addresses may lead here"
    ]


@pytest.mark.parametrize(("unread", "most"), [((), 0), (("entrances",), 1)])
def test_the_number_for_the_board_counts_it_at_most(unread: tuple[str, ...], most: int) -> None:
    found = exposure_of(Reachability(private(*unread))).any_port
    assert (found.from_internet, found.from_internet_at_most) == (0, most)


def test_a_rule_that_nothing_read_leads_to_stays_latent_with_low_confidence() -> None:
    checks = (internet_exposed_port.CHECK, latent_internet_rule.CHECK)
    (finding,) = run_audit(private("entrances"), AuditRequest(checks=checks)).findings
    assert (finding.check, finding.confidence, finding.reachable) == ("latent-internet-rule", "low", None)
