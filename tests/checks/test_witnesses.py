"""Every finding that tells of a path shows one packet, and reachability and its explanation confirm that it passes."""

import re
from collections.abc import Iterator
from functools import cache

import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.interface import AuditContext, Check, Example
from cloudseg.demo import demo_intent_path, demo_snapshot_path
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding
from cloudseg.intent_file import read_intent
from cloudseg.model import Estate
from cloudseg.providers.aws.translate import translate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.internet import InternetView
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import load
from cloudseg.traffic import AddressSet, Traffic

PATHS = ("internet-exposed-port", "flat-network", "tier-skip", "cross-environment-path", "outside-intent")
EXAMPLES = [(check, example) for check in CHECKS if check.id in PATHS for example in check.examples if example.finds]
WITNESS = re.compile(r"witness: (\S+) → (\S+) (\S+)(?: \(.*\))?")
End = str | AddressSet


@cache
def demo() -> tuple[Estate, Reachability, tuple[Finding, ...]]:
    estate = translate(load(demo_snapshot_path()))
    document = run_audit(estate, AuditRequest(intent=read_intent(demo_intent_path())))
    return estate, Reachability(estate), document.findings


def found_in(check: Check, example: Example) -> tuple[Estate, list[Finding]]:
    estate = example.build()
    context = AuditContext(
        estate=estate,
        check=check,
        settings={parameter.name: parameter.default for parameter in check.parameters},
        internet=InternetView(estate),
        as_of=estate.taken_at,
        intent=None if example.intent is None else example.intent(),
    )
    return estate, list(check.run(context))


def witnesses(finding: Finding, estate: Estate) -> Iterator[tuple[End, End, Traffic]]:
    for fact in finding.evidence:
        if found := WITNESS.fullmatch(fact):
            yield end(found[1], estate), end(found[2], estate), Traffic.parse(found[3])


def end(text: str, estate: Estate) -> End:
    address = AddressSet.parse(text)
    inside = [each.id for each in estate.interfaces.values() if each.addresses.overlaps(address)]
    assert len(inside) < 2
    return inside[0] if inside else address


def confirm(reach: Reachability, finding: Finding, source: End, target: End, packet: Traffic) -> None:
    verdict = reach.between(source, target)
    assert packet <= (verdict.lower if finding.confidence == "high" else verdict.upper)
    assert explain(reach, source, target, packet).verdict in (
        {"allowed"} if finding.confidence == "high" else {"allowed", "partly", "unknown"}
    )


@pytest.mark.parametrize("check", PATHS)
def test_every_witness_of_the_demo_is_confirmed(check: str) -> None:
    estate, reach, findings = demo()
    told = [finding for finding in findings if finding.check == check]
    assert told
    for finding in told:
        (witness,) = witnesses(finding, estate)
        confirm(reach, finding, *witness)


@pytest.mark.parametrize(
    ("check", "example"), EXAMPLES, ids=[f"{check.id}: {example.name}" for check, example in EXAMPLES]
)
def test_every_witness_of_an_example_is_confirmed(check: Check, example: Example) -> None:
    estate, findings = found_in(check, example)
    reach = Reachability(estate)
    for finding in findings:
        shown = list(witnesses(finding, estate))
        # Where no interface was read there is none to show.
        assert len(shown) == (1 if estate.interfaces else 0)
        for witness in shown:
            confirm(reach, finding, *witness)


def test_what_blocked_intent_shows_does_not_pass_for_sure() -> None:
    estate, reach, findings = demo()
    ids = {interface.label: interface.id for interface in estate.interfaces.values()}
    told = [finding for finding in findings if finding.check == "blocked-intent"]
    assert len(told) > 5
    for finding in told:
        (text,) = (fact for fact in finding.evidence if fact.startswith("witness: "))
        source, target = text.removeprefix("witness: ").split(" → ")
        label = next((name for name in ids if target.startswith(f"{name} ")), "")
        if source in ids and label:
            packet = Traffic.parse(target.removeprefix(f"{label} ").replace("all traffic", "all"))
            verdict = reach.between(ids[source], ids[label])
            assert not packet <= verdict.lower
            assert (finding.confidence == "high") == (not packet <= verdict.upper)
