"""Conversations that were joined with an estate become the columns that an intent is generated from."""

import numpy as np

from cloudseg.intent.joined import observations_from
from cloudseg.intent.observations import ACCEPTED, NO_PORT, REFUSED, End
from cloudseg.observed.ends import End as FoundEnd
from cloudseg.observed.join import Joined, join
from cloudseg.traffic import AddressSet
from tests.intent.observed import ID, shop
from tests.observed.tables import END, START, Table, conversation


def joined(*ends: FoundEnd, verdict: str = "accepted", **more: object) -> Joined:
    """One conversation, of the first of the ends with the last."""
    row = conversation("10.0.0.1", "10.0.0.2", **{"verdict": verdict, **more})  # type: ignore[arg-type]
    return Joined(Table(row), ends, np.array([0]), np.array([len(ends) - 1]))


def test_every_column_is_told() -> None:
    row = conversation(
        "10.0.1.11", "10.0.2.20", 8080, initiator_interface="eni-web1", responder_interface="eni-app",
        connections=3, records=7, packets=5, packets_back=6, bytes=100, bytes_back=200, confidence="medium",
    )  # fmt: skip
    seen = observations_from(join(Table(row), shop()))
    (initiator,), (responder,) = seen.initiator.tolist(), seen.responder.tolist()
    assert (seen.ends[initiator].interface, seen.ends[responder].interface) == (ID("eni-web1"), ID("eni-app"))
    told = [column.tolist() for column in seen[3:]]
    assert told == [[6], [8080], [ACCEPTED], [1], [3], [7], [5], [6], [300], [START], [END], [NO_PORT]]


def test_an_interface_that_was_logged_by_two_addresses_is_one_end() -> None:
    seen = observations_from(joined(FoundEnd("interface", "i", "10.0.0.1"), FoundEnd("interface", "i", "203.0.113.1")))
    assert seen.ends == (End(interface="i", shown="i"),)
    assert (seen.initiator.tolist(), seen.responder.tolist()) == ([0], [0])


def test_addresses_of_the_internet_and_beyond_are_outside_and_keep_their_names() -> None:
    seen = observations_from(
        joined(FoundEnd("outside", "", "198.51.100.4", name="S3"), FoundEnd("beyond", "", "192.168.0.1", "on premises"))
    )
    assert all(end.is_outside for end in seen.ends)
    assert [(end.addresses, end.name) for end in seen.ends] == [
        (AddressSet.parse("198.51.100.4"), "S3"),
        (AddressSet.parse("192.168.0.1"), ""),
    ]


def test_one_that_is_gone_or_unknown_is_nobody_and_says_why() -> None:
    seen = observations_from(
        joined(FoundEnd("gone", "", "10.0.9.9", "it is gone"), FoundEnd("unknown", "", "10.0.9.8", "two have it"))
    )
    assert [(end.doubt, end.is_outside, end.shown) for end in seen.ends] == [
        ("it is gone", False, "10.0.9.9"),
        ("two have it", False, "10.0.9.8"),
    ]


def test_a_refused_answer_counts_as_refused() -> None:
    end = FoundEnd("interface", "i", "10.0.0.1")
    for verdict, code in (("accepted", ACCEPTED), ("refused", REFUSED), ("reply-refused", REFUSED)):
        assert observations_from(joined(end, verdict=verdict)).verdict.tolist() == [code]


def test_a_confidence_that_nobody_heard_of_is_unknown() -> None:
    end = FoundEnd("interface", "i", "10.0.0.1")
    assert observations_from(joined(end, confidence="surely")).confidence.tolist() == [3]


def test_nothing_is_joined_to_nothing() -> None:
    assert len(observations_from(join(Table(), shop())).first) == 0
