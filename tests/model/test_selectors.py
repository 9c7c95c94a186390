"""Selectors choose interfaces by what they carry, where they stand, and how they are labelled."""

import pytest

from cloudseg.model import (
    AllOf,
    AnyOf,
    Carries,
    Everything,
    InNetworks,
    InSubnets,
    Interface,
    Labelled,
    NoneOf,
    Selector,
    matches,
)
from cloudseg.model.selectors import by_labels, required_label


def interface(**labels: str) -> Interface:
    return Interface(
        id="aws:1:r:eni-1",
        kind="network-interface",
        network="aws:1:r:vpc-1",
        subnet="aws:1:r:subnet-1",
        attached=frozenset({"aws:1:r:sg-1"}),
        labels=labels,
    )


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        (Everything(), True),
        (Carries("aws:1:r:sg-1"), True),
        (Carries("aws:1:r:sg-2"), False),
        (InSubnets(frozenset({"aws:1:r:subnet-1"})), True),
        (InSubnets(frozenset({"aws:1:r:subnet-2"})), False),
        (InNetworks(frozenset({"aws:1:r:vpc-1"})), True),
        (InNetworks(frozenset({"aws:1:r:vpc-2"})), False),
        (AllOf(()), True),
        (AnyOf(()), False),
        (AllOf((Everything(), Carries("aws:1:r:sg-2"))), False),
        (AnyOf((Carries("aws:1:r:sg-2"), Carries("aws:1:r:sg-1"))), True),
        (NoneOf(()), True),
        (NoneOf((Everything(),)), False),
        (NoneOf((Carries("aws:1:r:sg-2"), Carries("aws:1:r:sg-1"))), False),
        (NoneOf((Carries("aws:1:r:sg-2"), AllOf((Everything(), AnyOf(()))))), True),
    ],
)
def test_selectors_choose_by_identity_place_and_combination(selector: Selector, *, chosen: bool) -> None:
    assert matches(selector, interface()) is chosen


@pytest.mark.semantics(95)
@pytest.mark.parametrize(
    ("operator", "value", "chosen"),
    [
        ("In", "web", True),
        ("In", "db", False),
        ("In", None, False),
        ("NotIn", "web", False),
        ("NotIn", "db", True),
        ("NotIn", None, True),
        ("Exists", "web", True),
        ("Exists", None, False),
        ("DoesNotExist", "web", False),
        ("DoesNotExist", None, True),
    ],
)
def test_requirements_on_a_missing_key_match_only_when_they_exclude(
    operator: str, value: str | None, *, chosen: bool
) -> None:
    requirement = Labelled("app", operator, frozenset({"web"}))  # pyright: ignore[reportArgumentType]
    labels = {} if value is None else {"app": value}
    assert matches(requirement, interface(**labels)) is chosen


def test_a_selector_of_the_others_requires_no_label_and_looks_at_those_that_it_excludes() -> None:
    web = Labelled("app", "In", frozenset({"web"}))
    assert by_labels(NoneOf((web,)))
    assert not by_labels(NoneOf((Everything(),)))
    assert required_label(NoneOf((web,))) is None
    assert required_label(AllOf((NoneOf((web,)), Labelled("tier", "In", frozenset({"a"}))))) == ("tier", "a")
    assert matches(NoneOf((web,)), interface(app="db"))
    assert not matches(NoneOf((web,)), interface(app="web"))
