"""What goes wrong with one call is a gap with its reason; everything else is read all the same."""

import json
import time
from collections.abc import Callable

import pytest

from cloudseg.snapshot import Snapshot, SnapshotGap
from tests.azure.arm_server import LOGIN, Asked, Azure, Fields, denied, error
from tests.azure.live import DEPOT, NETWORK, SHOP, arm_id, gaps, listed, names, part, read, resource
from tests.loopback import Reply

NSGS = listed(f"{NETWORK}/networkSecurityGroups").lower()
GRAPH = "/providers/microsoft.resourcegraph/resources"
NSG_PART = part("network", "network_security_groups")


def failing(path: str, reply: Reply, times: int = 1000) -> Callable[[Asked, int], Reply | None]:
    """Send a reply in place of the first answers at a path."""
    return lambda asked, before: reply if asked.path == path and before < times else None


def gap_of(snapshot: Snapshot, operation: str) -> SnapshotGap:
    (gap,) = (gap for gap in snapshot.gaps if gap.operation == operation)
    return gap


def test_what_is_denied_is_a_gap_with_the_words_of_azure_and_nothing_else_is_lost(azure: Azure) -> None:
    whole = {each.path for each in read().parts()}
    azure.asked.clear()
    azure.trouble = lambda asked, _: denied(asked) if asked.path == NSGS else None
    snapshot = read()
    gap = gap_of(snapshot, "network_security_groups")
    assert (gap.provider, gap.scope, gap.region, gap.resource) == ("azure", SHOP, "global", None)
    assert gap.reason == "denied"
    assert gap.detail.startswith("AuthorizationFailed: The client 'auditor' does not have authorization")
    assert {each.path for each in snapshot.parts()} == whole - {NSG_PART.path}
    assert azure.paths().count(NSGS) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (error(401, "InvalidAuthenticationToken"), "denied"),
        (error(403, "AuthorizationFailed"), "denied"),
        (error(404, "ResourceNotFound"), "not-found"),
        (Reply(404, b"<html>no such page</html>", {"Content-Type": "text/html"}), "unsupported"),
        (error(400, "NoRegisteredProviderFound"), "unsupported"),
        (error(404, "InvalidResourceType"), "unsupported"),
        (error(405, "MethodNotAllowed"), "unsupported"),
        (error(429, "TooManyRequests"), "throttled"),
        (error(503, "SubscriptionRequestsThrottled"), "throttled"),
        (error(503, "ServiceUnavailable"), "unreachable"),
        (error(500, "InternalServerError"), "unreachable"),
        (error(408, "RequestTimeout"), "timeout"),
        (error(400, "BadRequest"), "malformed"),
        (Reply(200, b'{"value": [', {}), "malformed"),
        (Reply(200, b'{"no": "list"}', {}), "malformed"),
        (Reply(200, b"{}", {}), "malformed"),
        (Reply(200, b"[]", {}), "malformed"),
        (Reply(200, b"<html>Please sign in</html>", {"Content-Type": "text/html"}), "malformed"),
        (Reply(200, b'{"value": []}', cut=True), "unreachable"),
    ],
)
def test_each_failure_has_its_reason(azure: Azure, reply: Reply, reason: str) -> None:
    azure.trouble = failing(NSGS, reply)
    snapshot = read()
    assert gaps(snapshot) == [("network", "network_security_groups", reason)]
    assert NSG_PART not in snapshot


def test_an_answer_that_does_not_come_is_a_timeout(azure: Azure) -> None:
    azure.trouble = failing(NSGS, Reply(wait=1.5))
    assert gaps(read(read_timeout=0.5)) == [("network", "network_security_groups", "timeout")]


@pytest.mark.parametrize("reply", [error(503, "Busy"), error(429, "Busy"), Reply(200, b'{"value": []}', cut=True)])
def test_what_fails_for_a_moment_is_asked_again(azure: Azure, reply: Reply) -> None:
    azure.trouble = failing(NSGS, reply, times=2)
    snapshot = read(attempts=3)
    assert snapshot.gaps == ()
    assert names(snapshot, "network", "network_security_groups") == ["nsg-web"]
    assert azure.paths().count(NSGS) == 3


def test_a_service_that_says_how_long_to_wait_is_left_alone_that_long(azure: Azure) -> None:
    times: list[float] = []

    def throttled(asked: Asked, before: int) -> Reply | None:
        if asked.path != NSGS:
            return None
        times.append(time.monotonic())
        return error(429, "TooManyRequests", **{"Retry-After": "1"}) if before == 0 else None

    azure.trouble = throttled
    assert read(attempts=2).gaps == ()
    assert times[1] - times[0] >= 1


def test_a_wait_that_is_too_long_ends_the_call_at_once(azure: Azure) -> None:
    azure.trouble = failing(NSGS, error(429, "TooManyRequests", "come back", **{"Retry-After": "3600"}))
    snapshot = read(attempts=5)
    assert gaps(snapshot) == [("network", "network_security_groups", "throttled")]
    assert azure.paths().count(NSGS) == 1


def test_a_question_to_resource_graph_is_asked_again_when_it_was_throttled(azure: Azure) -> None:
    azure.trouble = failing(GRAPH, error(429, "RateLimiting"), times=2)
    assert read(attempts=4).gaps == ()


def test_a_page_that_fails_leaves_no_half_list(azure: Azure) -> None:
    azure.page = 1
    azure.add(NSGS, resource(f"{NETWORK}/networkSecurityGroups", "nsg-2"))
    azure.trouble = lambda asked, _: denied(asked) if asked.path == NSGS and "$skiptoken" in asked.query else None
    snapshot = read()
    assert gap_of(snapshot, "network_security_groups").reason == "denied"
    assert NSG_PART not in snapshot


def test_a_list_that_never_ends_is_malformed(azure: Azure) -> None:
    again: Fields = {"value": [], "nextLink": f"{azure.url}{NSGS}?api-version=2026-03-01&$skiptoken=1"}
    azure.trouble = failing(NSGS, Reply(body=json.dumps(again).encode()))
    gap = gap_of(read(), "network_security_groups")
    assert gap.reason == "malformed"
    assert "keeps handing out the same page" in gap.detail


def test_a_resource_that_is_denied_leaves_the_answers_about_the_others(azure: Azure) -> None:
    azure.rows.append({**azure.rows[3], "id": arm_id("Microsoft.Sql/servers", "sql-2"), "name": "sql-2"})
    closed = arm_id("Microsoft.Sql/servers", "sql-1")
    azure.trouble = lambda asked, _: denied(asked) if asked.path == f"{closed}/firewallRules".lower() else None
    snapshot = read()
    gap = gap_of(snapshot, "firewall_rules")
    assert (gap.service, gap.resource, gap.reason) == ("sql", closed, "denied")
    assert names(snapshot, "sql", "firewall_rules", arm_id("Microsoft.Sql/servers", "sql-2")) == []


def test_a_query_that_is_refused_is_a_gap_for_every_type_in_it_and_for_no_other(azure: Azure) -> None:
    azure.trouble = lambda asked, _: denied(asked) if "virtualmachines" in asked.body.get("query", "") else None
    snapshot = read(subscriptions=())
    assert [(gap.scope, gap.operation, gap.reason) for gap in snapshot.gaps] == [
        (SHOP, "virtual_machine_scale_sets", "denied"),
        (SHOP, "virtual_machines", "denied"),
        (DEPOT, "virtual_machine_scale_sets", "denied"),
        (DEPOT, "virtual_machines", "denied"),
    ]
    assert names(snapshot, "sql", "servers") == ["sql-1"]


def test_a_query_whose_result_is_cut_is_no_answer(azure: Azure) -> None:
    cut: Fields = {"totalRecords": 9, "count": 0, "data": [], "facets": [], "resultTruncated": "true"}
    azure.trouble = failing(GRAPH, Reply(body=json.dumps(cut).encode()))
    snapshot = read()
    assert {gap.reason for gap in snapshot.gaps} == {"malformed"}
    assert part("sql", "servers") not in snapshot


def test_a_service_that_a_subscription_does_not_use_holds_nothing_and_is_not_registered(azure: Azure) -> None:
    azure.trouble = failing(
        NSGS, error(409, "MissingSubscriptionRegistration", "not registered to use Microsoft.Network")
    )
    snapshot = read()
    assert snapshot.gaps == ()
    assert names(snapshot, "network", "network_security_groups") == []
    posts = [asked.path for asked in azure.asked if asked.method != "GET"]
    assert all(path == GRAPH or path.endswith("effectivesecurityadminrules") for path in posts)


def test_a_cloud_that_lags_behind_is_asked_in_the_newest_version_that_it_has(azure: Azure) -> None:
    message = (
        "The resource type 'x' could not be found in the namespace 'Microsoft.Network' for api version '2026-03-01'. "
        "The supported api-versions are '2020-05-01,2024-05-01,2025-01-01-preview'."
    )

    def lagging(asked: Asked, _: int) -> Reply | None:
        served = asked.query.get("api-version") == "2024-05-01"
        return error(404, "InvalidResourceType", message) if asked.path == NSGS and not served else None

    azure.trouble = lagging
    snapshot = read()
    assert snapshot.gaps == ()
    assert names(snapshot, "network", "network_security_groups") == ["nsg-web"]


def test_a_token_that_ends_on_the_way_is_a_gap_of_what_is_left(azure: Azure) -> None:
    late = arm_id("Microsoft.Sql/servers", "sql-1").lower()
    expired = error(401, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than now.")
    azure.trouble = lambda asked, _: expired if asked.path.startswith(late) else None
    snapshot = read()
    below = ("firewall_rules", "ipv6_firewall_rules", "virtual_network_rules")
    assert gaps(snapshot) == [("sql", operation, "denied") for operation in below]
    assert snapshot.gaps[0].detail.startswith("ExpiredAuthenticationToken: ")


def reader_of_one_group(azure: Azure, *permissions: dict[str, list[str]]) -> Snapshot:
    azure.permissions[SHOP] = list(permissions)
    return read()


def test_a_list_of_somebody_who_may_not_read_it_as_a_whole_is_kept_and_is_no_whole(azure: Azure) -> None:
    snapshot = reader_of_one_group(azure, {"actions": ["Microsoft.Network/*/read"], "notActions": []})
    assert ("network", "network_security_groups", "denied") not in gaps(snapshot)
    gap = gap_of(snapshot, "virtual_machines")
    assert (gap.reason, gap.resource) == ("denied", f"/subscriptions/{SHOP}")
    assert "no role on the whole subscription allows Microsoft.Compute/virtualMachines/read" in gap.detail
    assert names(snapshot, "compute", "virtual_machines") == ["vm-1"]


def test_what_one_role_excludes_another_may_allow(azure: Azure) -> None:
    but = {"actions": ["*/read"], "notActions": ["microsoft.network/NETWORKSECURITYGROUPS/*"]}
    assert gaps(reader_of_one_group(azure, but)) == [("network", "network_security_groups", "denied")]
    more = {"actions": ["Microsoft.Network/networkSecurityGroups/read"], "notActions": []}
    assert gaps(reader_of_one_group(azure, but, more)) == []


def test_without_knowing_the_permissions_no_list_counts_as_whole(azure: Azure) -> None:
    azure.trouble = lambda asked, _: denied(asked) if asked.path.endswith("/permissions") else None
    snapshot = read()
    gap = gap_of(snapshot, "network_security_groups")
    assert gap.reason == "denied"
    assert "whether all of it is shown is not known" in gap.detail
    assert names(snapshot, "network", "network_security_groups") == ["nsg-web"]


def test_a_login_is_asked_for_at_the_managed_identity_alone(azure: Azure) -> None:
    read()
    assert azure.paths()[0] == LOGIN
