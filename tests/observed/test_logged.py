"""Nothing seen means nothing there only where accepted traffic was logged over the whole window."""

from typing import Any

import msgspec
import pytest

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_flows import DAY, FIRST, LAST, logs_of
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.cli.sources import translate
from cloudseg.demo import demo_snapshot_path
from cloudseg.flows.coverage import Coverage, Loss, Observer
from cloudseg.model import Estate
from cloudseg.observed.logged import Logged
from cloudseg.snapshot import load


def observer(name: str | None, **more: Any) -> Observer:
    own = Observer("aws", name, "vpc-1", None, FIRST, LAST, 100)
    return msgspec.structs.replace(own, **more)


def coverage(*observers: Observer, **more: Any) -> Coverage:
    return msgspec.structs.replace(Coverage(first=FIRST, last=LAST, observers=observers), **more)


def machines(*logs: tuple[str, str], unread: tuple[str, ...] = ()) -> Estate:
    b = EstateBuilder(unread=unread)
    b.interface("eni-1", "subnet-private", address="10.0.2.10")
    b.interface("eni-2", "subnet-private", address="10.0.2.11")
    for number, (target, traffic) in enumerate(logs):
        b.flow_log(f"fl-{number}", target, traffic)  # pyright: ignore[reportArgumentType]
    return b.build()


def gap(estate: Estate, read: Coverage, own: str = "eni-1", provider: str = "aws") -> str:
    interface = next(each for each in estate.interfaces.values() if each.own_id == own)
    return Logged(read, estate).gap(interface, provider)


def test_an_interface_with_records_over_the_window_was_logged() -> None:
    assert gap(machines(), logs_of("eni-1")) == ""


@pytest.mark.semantics(228)
def test_an_interface_without_a_record_was_not_though_others_of_its_network_were() -> None:
    assert gap(machines(), logs_of("eni-2")) == "no record of it is in the logs"


def test_a_network_without_a_record_was_not_logged() -> None:
    assert gap(machines(), coverage()) == "no record of its network is in the logs"


def test_idle_records_count_where_a_flow_log_records_what_is_accepted() -> None:
    read = coverage(observer("eni-1", records=0, idle=500))
    assert gap(machines(("vpc-1", "all")), read) == ""


@pytest.mark.semantics(213)
def test_records_of_refused_traffic_alone_show_nothing_of_what_is_accepted() -> None:
    read = coverage(observer("eni-1", records=80, refused=80, idle=5))
    assert gap(machines(("vpc-1", "rejected")), read) == "no record shows that what it accepts is logged"


def test_logs_that_end_before_the_window_do_not_cover_it() -> None:
    read = coverage(observer("eni-1", last=LAST - 3 * DAY))
    assert gap(machines(), read) == "its logs end on 2026-01-12"


def test_logs_that_begin_late_do_not_cover_the_window() -> None:
    read = coverage(observer("eni-1", first=FIRST + 10 * DAY))
    assert gap(machines(), read) == "its logs begin on 2025-12-16"


def test_an_interface_that_is_younger_than_the_logs_of_its_network_is_covered() -> None:
    read = coverage(observer("eni-1", first=FIRST + 10 * DAY), observer("eni-2"))
    assert gap(machines(("vpc-1", "all")), read) == ""


def test_an_interface_with_a_flow_log_of_its_own_is_not_covered_by_those_of_others() -> None:
    read = coverage(observer("eni-1", first=FIRST + 10 * DAY), observer("eni-2"))
    assert gap(machines(("eni-1", "all"), ("eni-2", "all")), read) == "its logs begin on 2025-12-16"


def test_logs_without_interfaces_cover_a_network_as_far_as_its_flow_logs_do() -> None:
    read = coverage(observer(None))
    assert gap(machines(("vpc-1", "accepted")), read) == ""
    assert gap(machines(), read) == "no flow log of today records what it accepts"
    assert gap(machines(unread=("flow-logs",)), read) == "which subnets are logged was not read"


def test_on_google_cloud_the_flow_log_of_the_subnet_decides() -> None:
    b = GcpBuilder()
    b.machine("web", "web", "10.2.1.4")
    b.machine("db", "data", "10.2.2.4")
    b.flow_log("web")
    estate = b.build()
    network = b.network.removeprefix("gcp:")
    read = coverage(observer("x:zones/y/instances/z", provider="gcp", network=network))
    gaps = {key.split("/instances/")[1][:3]: Logged(read, estate).gap(each, "gcp") for key, each in _machines(estate)}
    assert gaps == {"web": "", "db/": "no flow log of today records what it accepts"}


def _machines(estate: Estate) -> list[tuple[str, Any]]:
    return [(key, each) for key, each in estate.interfaces.items() if "/instances/" in key]


def test_policies_of_a_cluster_need_its_own_logs() -> None:
    b = ClusterBuilder("prod")
    b.workload("shop", "web")
    estate = b.build()
    own = "shop/web[Deployment]"
    assert gap(estate, logs_of("eni-1"), own, "kubernetes") == "no record of its cluster is in the logs"
    read = coverage(observer("node-1", provider="kubernetes", network=None, scope="default"))
    assert gap(estate, read, own, "kubernetes") == ""


def test_a_cluster_of_which_one_node_reported_is_not_logged() -> None:
    estate = translate(load(demo_snapshot_path()))
    pods = "bookshop/storefront[Deployment]@subnet-00571eb49a3756023"
    nodes = [
        observer(f"node-{number}", provider="kubernetes", network=None, scope="bookshop-prod") for number in (1, 2)
    ]
    assert gap(estate, coverage(nodes[0]), pods, "kubernetes") == "1 of 2 nodes of its cluster are in the logs"
    assert gap(estate, coverage(*nodes), pods, "kubernetes") == ""
    assert not Logged(coverage(*nodes), estate).sampled("kubernetes")


def test_where_the_nodes_of_a_cluster_are_not_known_a_doubt_is_left() -> None:
    b = ClusterBuilder("prod")
    b.workload("shop", "web")
    read = coverage(observer("node-1", provider="kubernetes", network=None, scope="prod"))
    assert "whether all nodes are in the logs is not known" in Logged(read, b.build()).sampled("kubernetes")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"losses": (Loss("a.gz", "cut"),)}, "1 file of the logs"),
        ({"skipped": 3}, "3 records say that the cloud lost others"),
        ({"bad": 2}, "2 rows of the logs make no sense"),
    ],
)
def test_what_was_lost_leaves_doubts(more: dict[str, Any], words: str) -> None:
    (doubt,) = Logged(coverage(**more), machines()).doubts
    assert words in doubt


def test_the_window_is_told_in_days() -> None:
    logged = Logged(coverage(), machines())
    assert (logged.days, logged.window) == (40, "2025-12-06 to 2026-01-15 (40 days)")
    assert Logged(Coverage(), machines()).window == "no record"


@pytest.mark.parametrize(
    ("first", "last", "ends"), [(0, 40, True), (0, 20, False), (25, 27, True), (26, 27, False), (27, 40, False)]
)
def test_the_end_of_a_month_lies_in_the_window_or_not(first: int, last: int, *, ends: bool) -> None:
    # Day 26 of the window is the first of January.
    read = Coverage(first=FIRST + first * DAY, last=FIRST + last * DAY)
    assert Logged(read, machines()).ends_a_month is ends


def test_what_goes_to_a_private_endpoint_is_recorded_elsewhere() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", role="private_endpoint")
    assert "where its clients stand" in gap(b.build(), logs_of("eni-1"))
