"""What goes wrong with one call is a gap with its reason; everything else is read all the same."""

import json
import time
from collections.abc import Callable

import pytest

from cloudseg.errors import CollectError, CredentialsError
from cloudseg.snapshot import Snapshot, SnapshotGap
from tests.gcp.gcp_api import LOGIN, Asked, Fields, Google, denied, disabled, error
from tests.gcp.live import DEPOT, NET, SHOP, asset, gaps, items, names, part, read, resource
from tests.loopback import Reply

FIREWALLS = f"/projects/{SHOP}/global/firewalls"
INSTANCES = f"/projects/{SHOP}/aggregated/instances"
GATE = f"/projects/{SHOP}"
ASSETS = f"/v1/projects/{SHOP}/assets"
HTML = {"Content-Type": "text/html"}


def failing(path: str, reply: Reply, times: int = 1000) -> Callable[[Asked, int], Reply | None]:
    """Send a reply in place of the first answers at a path."""
    return lambda asked, before: reply if asked.path == path and before < times else None


def gap_of(snapshot: Snapshot, operation: str) -> SnapshotGap:
    (gap,) = (gap for gap in snapshot.gaps if gap.operation == operation)
    return gap


def test_what_is_denied_is_a_gap_with_the_words_of_google_and_nothing_else_is_lost(google: Google) -> None:
    whole = {each.path for each in read().parts()}
    google.asked.clear()
    google.trouble = lambda asked, _: denied(asked) if asked.path == FIREWALLS else None
    snapshot = read()
    gap = gap_of(snapshot, "firewalls")
    assert (gap.provider, gap.scope, gap.region, gap.resource) == ("gcp", SHOP, "global", None)
    assert gap.reason == "denied"
    assert gap.detail.startswith("forbidden: Required 'compute.some.list' permission for")
    assert {each.path for each in snapshot.parts()} == whole - {part("compute", "firewalls").path}
    assert google.paths().count(FIREWALLS) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (error(401, "authError"), "denied"),
        (error(403, "forbidden"), "denied"),
        (error(403, code="PERMISSION_DENIED"), "denied"),
        (disabled("compute.googleapis.com"), "unsupported"),
        (error(404, "notFound"), "not-found"),
        (Reply(404, b"<html>no such page</html>", HTML), "unsupported"),
        (error(405, "httpMethodNotAllowed"), "unsupported"),
        (error(403, "rateLimitExceeded"), "throttled"),
        (error(403, "quotaExceeded"), "throttled"),
        (error(429, code="RESOURCE_EXHAUSTED"), "throttled"),
        (error(503, "backendError"), "unreachable"),
        (error(500, "internalError"), "unreachable"),
        (error(504, code="DEADLINE_EXCEEDED"), "timeout"),
        (error(400, "badRequest"), "malformed"),
        (Reply(500, b"[]"), "unreachable"),
        (Reply(403, b'{"error": "denied"}'), "denied"),
        (Reply(200, b'{"items": ['), "malformed"),
        (Reply(200, b'{"no": "list"}'), "malformed"),
        (Reply(200, b"{}"), "malformed"),
        (Reply(200, b"[]"), "malformed"),
        (Reply(200, b'{"kind": "k", "items": {"a": 1}}'), "malformed"),
        (Reply(200, b'{"kind": "k", "items": ["a"]}'), "malformed"),
        (Reply(200, b"[" * 100_000), "malformed"),
        (Reply(200, b'{"kind": "k", "items": ["\xff"]}'), "malformed"),
        (Reply(200, b"<html>Please sign in</html>", HTML), "malformed"),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/sign-in"}), "malformed"),
        (Reply(200, b'{"kind": "k", "items": []}', cut=True), "unreachable"),
    ],
)
def test_each_failure_has_its_reason(google: Google, reply: Reply, reason: str) -> None:
    google.trouble = failing(FIREWALLS, reply)
    snapshot = read()
    assert gaps(snapshot) == [("compute", "firewalls", reason)]
    assert part("compute", "firewalls") not in snapshot


def test_an_answer_that_does_not_come_is_a_timeout(google: Google) -> None:
    google.trouble = failing(FIREWALLS, Reply(wait=1.5))
    assert gaps(read(read_timeout=0.5)) == [("compute", "firewalls", "timeout")]


@pytest.mark.parametrize(
    "reply",
    [
        error(503, "backendError"),
        error(429, code="RESOURCE_EXHAUSTED"),
        error(403, "rateLimitExceeded"),
        Reply(200, b'{"kind": "k"}', cut=True),
    ],
)
def test_what_fails_for_a_moment_is_asked_again(google: Google, reply: Reply) -> None:
    google.trouble = failing(FIREWALLS, reply, times=2)
    snapshot = read(attempts=3)
    assert snapshot.gaps == ()
    assert names(snapshot, "compute", "firewalls") == ["web"]
    assert google.paths().count(FIREWALLS) == 3


def test_the_inventory_is_asked_again_when_it_was_throttled(google: Google) -> None:
    google.trouble = failing(ASSETS, error(429, code="RESOURCE_EXHAUSTED"), times=3)
    assert read(attempts=4).gaps == ()


def test_each_page_has_as_many_attempts_as_the_first(google: Google) -> None:
    google.page = 1
    google.add(SHOP, "firewalls", resource("global", "firewalls", "second"))
    google.trouble = lambda asked, before: error(503) if asked.path == FIREWALLS and before % 2 == 0 else None
    assert names(read(attempts=2), "compute", "firewalls") == ["web", "second"]


def test_a_service_that_says_how_long_to_wait_is_left_alone_that_long(google: Google) -> None:
    times: list[float] = []

    def throttled(asked: Asked, before: int) -> Reply | None:
        if asked.path != FIREWALLS:
            return None
        times.append(time.monotonic())
        return error(429, code="RESOURCE_EXHAUSTED", **{"Retry-After": "1"}) if before == 0 else None

    google.trouble = throttled
    assert read(attempts=2).gaps == ()
    assert times[1] - times[0] >= 1


def test_a_wait_that_is_too_long_ends_the_call_at_once(google: Google) -> None:
    google.trouble = failing(FIREWALLS, error(429, "rateLimitExceeded", "come back", **{"Retry-After": "3600"}))
    assert gaps(read(attempts=5)) == [("compute", "firewalls", "throttled")]
    assert google.paths().count(FIREWALLS) == 1


def test_a_quota_that_is_used_up_is_not_asked_again(google: Google) -> None:
    google.trouble = failing(FIREWALLS, error(403, "dailyLimitExceeded"))
    assert gaps(read(attempts=5)) == [("compute", "firewalls", "throttled")]
    assert google.paths().count(FIREWALLS) == 1


def test_a_page_that_fails_leaves_no_half_list(google: Google) -> None:
    google.page = 1
    google.add(SHOP, "firewalls", resource("global", "firewalls", "second"))
    google.trouble = lambda asked, _: denied(asked) if asked.path == FIREWALLS and "pageToken" in asked.query else None
    snapshot = read()
    assert gaps(snapshot) == [("compute", "firewalls", "denied")]
    assert part("compute", "firewalls") not in snapshot


def test_a_service_that_hands_out_the_same_page_again_and_again_is_given_up(google: Google) -> None:
    body = json.dumps({"kind": "k", "items": [], "nextPageToken": "again"}).encode()
    google.trouble = failing(FIREWALLS, Reply(body=body))
    assert gaps(read()) == [("compute", "firewalls", "malformed")]
    assert google.paths().count(FIREWALLS) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        {"unreachables": ["zones/us-east1-c"]},
        {"unreachables": ["https://www.googleapis.com/compute/v1/projects/shop-prod/zones/us-east1-c"]},
        {"items": {"zones/us-east1-c": {"warning": {"code": "UNREACHABLE", "message": "The zone is out of reach."}}}},
    ],
)
def test_a_zone_out_of_reach_is_a_gap_of_that_zone_and_the_others_are_read(google: Google, trouble: Fields) -> None:
    known = resource("zones/us-east1-b", "instances", "web-1")
    answer = {"kind": "k", "items": {"zones/us-east1-b": {"instances": [known]}}}
    answer["items"] |= trouble.get("items", {})
    google.answers[INSTANCES] = {**answer, "unreachables": trouble.get("unreachables", [])}
    snapshot = read()
    gap = gap_of(snapshot, "instances")
    assert (gap.reason, gap.resource) == ("unreachable", f"projects/{SHOP}/zones/us-east1-c")
    assert names(snapshot, "compute", "instances") == ["web-1"]


def test_a_zone_without_anything_is_no_gap(google: Google) -> None:
    warning = {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "There are no results."}}
    google.answers[INSTANCES] = {"kind": "k", "items": {"zones/us-east1-b": warning}}
    assert read().gaps == ()


def test_a_list_that_may_lack_something_is_a_gap_of_the_project(google: Google) -> None:
    warning = {"code": "PARTIAL_SUCCESS", "message": "Some of it is missing."}
    google.answers[FIREWALLS] = {"kind": "k", "items": [], "warning": warning}
    gap = gap_of(read(), "firewalls")
    assert (gap.resource, gap.detail) == (f"projects/{SHOP}", "PARTIAL_SUCCESS: Some of it is missing.")


def test_partial_answers_are_asked_for(google: Google) -> None:
    read()
    asked = [each.query.get("returnPartialSuccess") for each in google.asked if "/aggregated/" in each.path]
    assert set(asked) == {"true"}


def test_what_follows_from_a_list_that_failed_is_asked_as_far_as_it_is_known(google: Google) -> None:
    google.trouble = lambda asked, _: denied(asked) if asked.path == INSTANCES else None
    asked = {each.resource for each in read().parts() if each.operation == "region_effective_firewalls"}
    assert asked == {f"{NET}|us-east1", f"{NET}|us-west1"}


def test_an_inventory_that_is_denied_leaves_a_gap_for_each_answer_of_it(google: Google) -> None:
    google.trouble = lambda asked, _: denied(asked) if asked.path == ASSETS else None
    snapshot = read()
    assert gap_of(snapshot, "buckets").reason == "denied"
    assert part("storage", "buckets") not in snapshot
    assert not [gap for gap in snapshot.gaps if gap.service == "compute"]


def test_an_inventory_that_is_not_enabled_says_how_it_can_be(google: Google) -> None:
    google.trouble = failing(ASSETS, disabled("cloudasset.googleapis.com", "77"))
    gap = gap_of(read(), "buckets")
    assert gap.reason == "unsupported"
    assert "gcloud services enable cloudasset.googleapis.com --project 77" in gap.detail


def test_credentials_without_a_project_to_count_against_are_told_how_to_get_one(google: Google) -> None:
    message = "The cloudasset.googleapis.com API requires a quota project, which is not set by default."
    google.trouble = failing(ASSETS, disabled("cloudasset.googleapis.com", "764086051850", message))
    gap = gap_of(read(), "buckets")
    assert "gcloud auth application-default set-quota-project PROJECT" in gap.detail
    assert "764086051850" not in gap.detail


def test_a_type_that_the_inventory_does_not_take_spoils_no_other(google: Google) -> None:
    kind = "networkconnectivity.googleapis.com/RouteTable"
    google.assets[f"projects/{SHOP}"].append(asset("vpcaccess.googleapis.com/Connector", "c"))
    google.trouble = lambda asked, _: error(400, code="INVALID_ARGUMENT") if kind in asked.types else None
    snapshot = read()
    assert gaps(snapshot) == [("networkconnectivity", "hub_route_tables", "unsupported")]
    assert names(snapshot, "vpcaccess", "connectors") == ["c"]


def test_an_asset_without_its_resource_is_a_gap_of_that_asset(google: Google) -> None:
    broken = asset("storage.googleapis.com/Bucket", "broken")
    broken["resource"] = {"version": "v1"}
    google.assets[f"projects/{SHOP}"].append(broken)
    snapshot = read()
    gap = gap_of(snapshot, "buckets")
    assert (gap.reason, gap.resource) == ("malformed", broken["name"])
    assert names(snapshot, "storage", "buckets") == ["logs"]


def test_a_project_without_compute_and_without_networks_is_empty(google: Google) -> None:
    google.assets[f"projects/{SHOP}"] = [
        each for each in google.assets[f"projects/{SHOP}"] if "Network" not in str(each)
    ]
    google.trouble = failing(GATE, disabled("compute.googleapis.com"))
    snapshot = read()
    assert snapshot.gaps == ()
    assert items(snapshot, "compute", "instances") == []
    assert names(snapshot, "storage", "buckets") == ["logs"]
    assert not [path for path in google.paths() if path.startswith(f"{GATE}/")]


@pytest.mark.parametrize("inventory", [True, False])
def test_a_project_without_compute_that_may_hold_networks_is_a_gap_with_a_way_out(
    google: Google,
    inventory: bool,  # noqa: FBT001 - pytest hands it over
) -> None:
    def trouble(asked: Asked, _: int) -> Reply | None:
        if asked.path == GATE:
            return disabled("compute.googleapis.com")
        network = "compute.googleapis.com/Network" in asked.types
        return None if inventory or not network else error(503)

    google.trouble = trouble
    gap = gap_of(read(), "projects") if inventory else next(g for g in read().gaps if g.service == "compute")
    assert (gap.service, gap.reason) == ("compute", "unsupported")
    assert "gcloud services enable compute.googleapis.com --project 4242" in gap.detail


def test_a_project_that_does_not_exist_ends_the_run(google: Google) -> None:
    with pytest.raises(
        CollectError, match=r"no project 'shop-test'.*was not found.*gcloud projects list.*gcp-audit-role"
    ):
        read(projects=("shop-test",))


def test_a_first_question_that_is_denied_is_a_gap_and_the_rest_is_asked(google: Google) -> None:
    google.trouble = failing(GATE, error(403, "forbidden"))
    snapshot = read()
    assert gaps(snapshot) == [("compute", "projects", "denied")]
    assert names(snapshot, "compute", "networks") == ["net-1"]


def test_a_project_of_which_everything_is_denied_ends_the_run(google: Google) -> None:
    google.trouble = lambda asked, _: None if asked.path == LOGIN else denied(asked)
    with pytest.raises(CollectError, match=r"nothing can be read of shop-prod .*grant a role there"):
        read()


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (error(401, "authError", "Invalid Credentials"), CredentialsError, "does not accept.*sign in again"),
        (error(503, "backendError"), CollectError, "cannot be reached .*check the network"),
        (Reply(200, b"<html>sign in</html>", HTML), CollectError, "not Google Cloud"),
        (Reply(404, b"nothing here"), CollectError, "not Google Cloud"),
    ],
)  # fmt: skip
def test_a_compute_that_shows_nothing_ends_the_run(
    google: Google, reply: Reply, kind: type[CollectError], words: str
) -> None:
    google.trouble = failing(GATE, reply)
    with pytest.raises(kind, match=words):
        read()


def test_a_token_that_is_taken_back_ends_the_run(google: Google) -> None:
    def trouble(asked: Asked, before: int) -> Reply | None:
        if asked.path == GATE:
            return error(401, "authError")
        expired = json.dumps({"error": "invalid_grant", "error_description": "Token has been revoked."}).encode()
        return Reply(400, expired) if asked.path == LOGIN and before else None

    google.trouble = trouble
    with pytest.raises(CredentialsError, match=r"expired or was revoked .*sign in again"):
        read()


def test_one_of_two_projects_may_be_closed(google: Google) -> None:
    closed = f"/projects/{DEPOT}"
    google.trouble = lambda asked, _: denied(asked) if asked.path.startswith(closed) else None
    snapshot = read(projects=(SHOP, DEPOT))
    assert {gap.scope for gap in snapshot.gaps} == {DEPOT}
    assert names(snapshot, "compute", "firewalls") == ["web"]
