"""The generated subscription is read in full, and holds what the benchmark says it does."""

from benchmarks.azure_snapshot import azure_snapshot
from cloudseg.cli.sources import translate


def test_the_generated_subscription_is_read_without_a_gap() -> None:
    estate = translate(azure_snapshot(300, 1_200))
    assert estate.gaps == ()
    assert len(estate.interfaces) == 300
    written = [rule for each in estate.rule_sets.values() if each.stage.endswith("nsg") for rule in each.rules]
    assert sum(not rule.fixed for rule in written) == 1_200
    assert all(rule.exact for rule in written)
    assert any(rule.local != rule.remote and len(rule.local) == 1 for rule in written)
