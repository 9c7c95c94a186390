"""Sentences that the reports for people share."""

import msgspec

from cloudseg.engine import CheckStatus, GapInfo, SourceInfo
from cloudseg.reporters.wording import gap_lines, place, scope_line, unsettled_lines
from tests.reporters.conftest import make_document, make_finding

NONE = "no workload that was read is part of a service mesh"


def test_checks_that_share_a_reason_stand_together() -> None:
    statuses = (
        CheckStatus("internet-exposed-port", "not evaluated", NONE),
        CheckStatus("latent-internet-rule", "partly", NONE),
        CheckStatus("overbroad-ports", "not evaluated", NONE),
        CheckStatus("open-network-acl", "evaluated", ""),
    )
    document = msgspec.structs.replace(make_document(()), checks=statuses)
    assert list(unsettled_lines(document)) == [
        f"internet-exposed-port, overbroad-ports: not evaluated: {NONE}",
        f"latent-internet-rule: partly: {NONE}",
    ]


def test_a_cluster_has_no_regions() -> None:
    cluster = SourceInfo("kubernetes", "prod", "prod", ("global",), complete=True, gaps=())
    assert scope_line(cluster) == "kubernetes prod"
    assert place(make_finding(1, provider="kubernetes", scope="prod", region="global")) == "prod"


def test_a_subscription_has_no_regions_for_azure_lists_all_of_it_at_once() -> None:
    assert scope_line(SourceInfo("azure", "1111", "Shop", (), complete=True, gaps=())) == "azure 1111 (Shop)"
    assert scope_line(SourceInfo("aws", "1111", "", (), complete=True, gaps=())) == "aws 1111: no region"


def test_a_cluster_is_told_with_the_context_it_was_read_by_and_its_gaps() -> None:
    [first, *_] = make_document((), ()).sources
    gaps = (GapInfo("global", "core.nodes", "", "denied", "HTTP status 403", ("interfaces",)),)
    cluster = SourceInfo("kubernetes", "mine", "prod", (), complete=False, gaps=gaps)
    assert scope_line(cluster) == "kubernetes mine (prod); 1 gap"
    assert list(gap_lines((cluster,))) == ["kubernetes mine core.nodes: denied: HTTP status 403"]
    assert scope_line(first) == "aws 111122223333 (production): eu-west-1, us-east-1"
