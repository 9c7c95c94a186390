"""The example that ships: three tiers of the bundled estate, and what surrounds them."""

from functools import cache

from cloudseg.cli.sources import translate
from cloudseg.demo import demo_intent_path, demo_snapshot_path
from cloudseg.intent import Intent, intent_warnings
from cloudseg.intent_file import read_intent
from cloudseg.model import Estate
from cloudseg.segments import Choice, Segment, Segmentation, resolve_segments
from cloudseg.snapshot import load
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic


@cache
def demo() -> tuple[Estate, Intent, Segmentation]:
    estate = translate(load(demo_snapshot_path()))
    intent = read_intent(demo_intent_path())
    return estate, intent, resolve_segments(intent.segments, estate)


def interface(name: str) -> str:
    (found,) = (key for key, value in demo()[0].interfaces.items() if value.name == name)
    return found


def test_every_segment_holds_something_and_none_shares_it() -> None:
    _, _, segments = demo()
    assert segments.empty == ()
    assert segments.overlaps == ()
    assert segments.uncertain == {}


def test_the_three_tiers_hold_their_machines() -> None:
    estate, _, segments = demo()
    names = {
        tier: sorted(estate.interfaces[member].name for member in segments.members[tier]) for tier in ("web", "app")
    }
    assert names == {
        "web": ["bookshop-prod-web-1", "bookshop-prod-web-2"],
        "app": ["bookshop-prod-app-1", "bookshop-prod-app-2"],
    }
    owners = [estate.owner_of(estate.interfaces[member]) for member in segments.members["db"]]
    assert [owner.name for owner in owners if owner] == ["bookshop-prod-orders"]


def test_the_tiers_of_the_portal_hold_their_machines() -> None:
    estate, _, segments = demo()
    names = {
        segment: sorted(estate.interfaces[member].name for member in segments.members[segment])
        for segment in ("portal-edge", "portal-web", "portal-app", "portal-db", "hub-jump")
    }
    assert names == {
        "portal-edge": ["portal-gateway"],
        "portal-web": ["web-1-nic", "web-2-nic"],
        "portal-app": ["app-1-nic", "app-2-nic"],
        "portal-db": ["db-1-nic"],
        "hub-jump": ["jump-nic"],
    }


def test_tiers_talk_to_the_next_one_and_nobody_skips_one() -> None:
    estate, intent, segments = demo()
    matrix = intent.allowed(segments, estate.taken_at)
    web, app = interface("bookshop-prod-web-1"), interface("bookshop-prod-app-2")
    (db,) = segments.members["db"]
    assert matrix.for_interfaces(web, app) == Traffic.parse("tcp/8080")
    assert matrix.for_interfaces(app, db) == Traffic.parse("tcp/5432")
    assert matrix.for_interfaces(web, db) == NO_TRAFFIC
    assert matrix.between("internet", "web") == NO_TRAFFIC
    assert matrix.between("dev", "db") == NO_TRAFFIC


def test_the_temporary_allowance_is_over_on_the_day_of_the_snapshot() -> None:
    estate, intent, segments = demo()
    assert intent.allowed(segments, estate.taken_at).between("internet", "reporting") == NO_TRAFFIC
    assert intent.allowed(segments, "2026-09-30").between("internet", "reporting") == Traffic.parse("tcp/5432")


def test_its_readers_are_told_what_expired_and_what_stands_in_no_segment() -> None:
    estate, intent, segments = demo()
    told = intent_warnings(intent, segments, estate, estate.taken_at)
    assert [warning.kind for warning in told] == ["expired-allowance", "unassigned-interfaces"]
    assert "bookshop-prod-stock-import" in told[1].words


def test_the_share_of_workloads_without_tags_is_reported() -> None:
    shares = {share.meaning: (share.without, share.total) for share in demo()[2].labelling}
    assert shares == {"application": (12, 72), "tier": (16, 72), "environment": (13, 72)}


def test_what_hosts_answer_by_themselves_is_no_part_of_the_internet() -> None:
    estate, _, segments = demo()
    assert estate.served == AddressSet.parse("35.235.240.0/20, 168.63.129.16, 169.254.169.254, fd20:ce::254")
    assert segments.split(estate.served) == ()
    assert not segments.outside["internet"].overlaps(estate.served)


def test_a_private_endpoint_owns_its_interface_and_an_nsg_chooses_what_carries_it() -> None:
    estate, _, _ = demo()
    chosen = (
        Segment(name="secrets", choice=Choice(names=("secrets-pe",))),
        Segment(name="tagged", choice=Choice(tags={"application": ("portal",)}, names=("secrets-pe",))),
        Segment(name="listed", choice=Choice(groups=("dev-1-nsg",))),
    )
    found = resolve_segments(chosen, estate)
    names = {name: [estate.interfaces[each].name for each in held] for name, held in found.members.items()}
    assert names == {"secrets": ["secrets-pe.nic"], "tagged": ["secrets-pe.nic"], "listed": ["dev-1-nic"]}
    assert found.uncertain == {}
