"""Ends outside of an estate: the internet where it is meant to come, ranges with a name for the others."""

from typing import Literal

import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.intent import Allowance, Intent
from cloudseg.intent.outsiders import public_traffic
from cloudseg.model import Entrance, Estate, Forwarder, Gateway, Workload
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic
from tests.intent.observed import ID, Log, allowed, generated, shop_builder

WEB, APP = "shop/web/prod", "shop/app/prod"


def with_tag(value: str) -> Estate:
    builder = shop_builder()
    for own, address, public in (("eni-web1", "10.0.1.11", "203.0.113.7"), ("eni-web2", "10.0.1.12", "203.0.113.8")):
        tags = {"application": "shop", "tier": "web", "env": "prod", "exposure": value}
        builder.interface(own, "subnet-public", ["sg-web"], address, public, tags=tags)
    return builder.build()


class TestTheInternet:
    def test_clients_of_a_service_that_is_declared_public_are_the_internet(self) -> None:
        log = Log()
        log.saw("198.51.100.4", "eni-web1", 443)
        log.saw("198.51.100.77", "eni-web2", 443)
        found = generated(log, with_tag("public"))
        assert allowed(found) == [f"internet to {WEB}: tcp/443"]
        assert all(not segment.choice.addresses for segment in found.segments)

    def test_who_asks_it_from_inside_is_not_the_internet(self) -> None:
        log = Log()
        log.saw("eni-app", "eni-web1", 443)
        log.saw("eni-web2", "eni-web1", 443)
        assert allowed(generated(log, with_tag("public"))) == [f"{APP} to {WEB}: tcp/443", f"{WEB} to {WEB}: tcp/443"]

    def test_its_other_ports_are_not_for_the_internet(self) -> None:
        log = Log()
        log.saw("198.51.100.4", "eni-web1", 22)
        found = generated(log, with_tag("public"))
        assert allowed(found) == [f"outside 198.51.100.4 to {WEB}: tcp/22"]

    def test_without_a_declaration_even_the_web_port_gets_named_ranges(self) -> None:
        log = Log()
        log.saw("198.51.100.4", "eni-web1", 443)
        found = generated(log, with_tag("private"))
        assert allowed(found) == [f"outside 198.51.100.4 to {WEB}: tcp/443"]

    def test_what_machines_fetch_is_never_opened_to_all_of_the_internet(self) -> None:
        log = Log()
        log.saw("eni-app", "198.51.100.4", 443)
        assert allowed(generated(log)) == [f"{APP} to outside 198.51.100.4: tcp/443"]

    @pytest.mark.parametrize(("facing", "expected"), [(True, "tcp/8443"), (False, "none"), (None, "none")])
    def test_a_load_balancer_that_faces_the_internet_is_public_on_what_it_accepts(
        self, facing: Literal[True, False] | None, expected: str
    ) -> None:
        builder = EstateBuilder()
        balancer = ID("alb")
        builder.put("workloads", Workload(id=balancer, kind="load-balancer", internet_facing=facing))
        accepts = Traffic.parse("tcp/8443")
        builder.put("forwarders", Forwarder(id=balancer, kind="alb", accepts=accepts, zones=None))
        builder.interface("eni-alb", "subnet-public", workload=balancer)
        assert str(public_traffic(builder.build()).get(ID("eni-alb"), Traffic.parse("none"))) == expected

    @pytest.mark.parametrize(
        ("kind", "traffic", "expected"),
        [
            ("ingress", "tcp/8443", "tcp/8443"),
            ("service", "tcp/443", "tcp/443"),
            ("service", "tcp/3000", "none"),
            ("firewall-nat-rule", "tcp/22", "none"),
        ],
    )
    def test_a_way_in_is_public_where_it_is_for_http(self, kind: str, traffic: str, expected: str) -> None:
        builder = EstateBuilder()
        builder.interface("eni-a")
        entrance = Entrance(id=ID("door"), kind=kind, targets=frozenset((ID("eni-a"),)), traffic=Traffic.parse(traffic))
        builder.put("entrances", entrance)
        assert str(public_traffic(builder.build()).get(ID("eni-a"), Traffic.parse("none"))) == expected

    def test_a_way_in_that_forwards_nothing_is_none(self) -> None:
        builder = EstateBuilder()
        builder.interface("eni-a")
        door = Entrance(
            id=ID("door"), kind="ingress", targets=frozenset((ID("eni-a"),)), traffic=Traffic.parse("tcp/80"),
            active=False,
        )  # fmt: skip
        builder.put("entrances", door)
        assert ID("eni-a") not in public_traffic(builder.build())


class TestNamedRanges:
    def test_addresses_that_do_the_same_share_the_fewest_exact_ranges(self) -> None:
        log = Log()
        for last in (4, 5, 6, 7, 20):
            log.saw(f"198.51.100.{last}", "eni-web1", 22)
        (segment,) = (each for each in generated(log).segments if each.choice.addresses)
        assert segment.name == "outside 198.51.100.4/30 and 1 more"
        assert segment.choice.addresses == AddressSet.parse("198.51.100.4-198.51.100.7, 198.51.100.20")

    def test_addresses_that_do_something_else_have_a_segment_of_their_own(self) -> None:
        log = Log()
        log.saw("198.51.100.4", "eni-web1", 22)
        log.saw("198.51.100.4", "eni-web1", 443)
        log.saw("198.51.100.5", "eni-web1", 22)
        assert allowed(generated(log)) == [
            f"outside 198.51.100.4 to {WEB}: tcp/22, tcp/443",
            f"outside 198.51.100.5 to {WEB}: tcp/22",
        ]

    def test_what_the_log_calls_by_a_name_keeps_it(self) -> None:
        log = Log()
        log.saw("eni-app", log.named("198.51.100.4", "S3"), 443)
        log.saw("eni-app", log.named("198.51.100.9", "api.example.com"), 443)
        assert allowed(generated(log)) == [f"{APP} to S3: tcp/443", f"{APP} to api.example.com: tcp/443"]

    def test_a_segment_that_people_wrote_for_an_address_is_taken(self) -> None:
        log = Log()
        log.saw("198.51.100.4", "eni-web1", 22)
        office = Segment(name="office", choice=Choice(addresses=AddressSet.parse("198.51.100.0/28")))
        found = generated(log, existing=Intent(segments=(office,)))
        assert allowed(found) == [f"office to {WEB}: tcp/22"]
        assert all(not segment.choice.addresses for segment in found.segments)

    def test_an_allowance_for_the_internet_holds_for_an_address_of_it(self) -> None:
        log = Log()
        log.saw("198.51.100.4", "eni-web1", 22)
        entry = Allowance(sources=("internet",), targets=("front",), traffic=Traffic.parse("tcp/22"))
        front = Segment(name="front", choice=Choice(tags={"tier": ("web",)}))
        found = generated(log, existing=Intent(segments=(front,), allow=(entry,)))
        assert found.allow == ()
        assert [segment.name for segment in found.segments] == [APP]


class TestCrowds:
    def crowd(self, count: int) -> Log:
        log = Log()
        for number in range(count):
            log.saw("eni-app", f"198.51.100.{2 * number}", 443, times=2)
        return log

    def test_thirty_two_ranges_are_named(self) -> None:
        found = generated(self.crowd(32))
        assert (len(found.allow), found.left) == (1, ())

    def test_more_are_nothing_that_people_review_and_are_left_to_them(self) -> None:
        found = generated(self.crowd(33))
        assert found.allow == ()
        (left,) = found.left
        assert (left.source, left.target, left.traffic) == (APP, "33 ranges outside", "tcp/443")
        assert all(not segment.choice.addresses for segment in found.segments)

    def test_many_neighbours_are_one_range_and_no_crowd(self) -> None:
        log = Log()
        for number in range(64):
            log.saw("eni-app", f"198.51.100.{number}", 443, times=2)
        assert allowed(generated(log)) == [f"{APP} to outside 198.51.100.0/26: tcp/443"]

    def test_what_else_one_of_the_crowd_does_is_named(self) -> None:
        log = self.crowd(40)
        log.saw("198.51.100.6", "eni-web1", 22)
        found = generated(log)
        assert allowed(found) == [f"outside 198.51.100.6 to {WEB}: tcp/22"]
        assert [left.target for left in found.left] == ["40 ranges outside"]

    def test_the_crowd_stays_one_when_one_of_it_has_a_segment(self) -> None:
        log = self.crowd(33)
        one = Segment(name="partner", choice=Choice(addresses=AddressSet.parse("198.51.100.6")))
        found = generated(log, existing=Intent(segments=(one,)))
        assert (found.allow, [left.target for left in found.left]) == ((), ["33 ranges outside"])


def test_a_private_address_of_no_network_is_called_private() -> None:
    builder = shop_builder()
    builder.put("gateways", Gateway(id=ID("vgw-1"), kind="vpn-gateway", networks=frozenset((ID("vpc-1"),))))
    builder.route("rtb-private", "192.168.0.0/16", "private-gateway", "vgw-1")
    log = Log()
    log.saw("eni-app", "192.168.4.7", 443)
    assert allowed(generated(log, builder.build())) == [f"{APP} to private 192.168.4.7: tcp/443"]


def test_where_nothing_leads_to_a_private_address_nothing_is_allowed() -> None:
    log = Log()
    log.saw("eni-app", "192.168.4.7", 443)
    found = generated(log)
    assert (found.allow, found.dropped) == ((), {"not-carried": 1})
