"""What resources are called: ids made of names need no name beside them."""

import pytest

from cloudseg.model import labelled


@pytest.mark.parametrize(
    ("own", "name", "called"),
    [
        ("sg-1", "web", "sg-1 (web)"),
        ("sg-1", "", "sg-1"),
        ("web", "web", "web"),
        ("shop/web[Deployment]", "web", "shop/web[Deployment]"),
        ("shop/web[Deployment]@subnet-1", "web", "shop/web[Deployment]@subnet-1"),
        ("shop/NetworkPolicy/web", "web", "shop/NetworkPolicy/web"),
        ("shop/Service/web", "shop/web", "shop/Service/web"),
        ("shop/web[Deployment]", "front", "shop/web[Deployment] (front)"),
        ("shop/web-2[Pod]", "web", "shop/web-2[Pod] (web)"),
        ("arn:aws:eks:eu-west-1:1:cluster/shop", "shop", "arn:aws:eks:eu-west-1:1:cluster/shop (shop)"),
    ],
)
def test_a_name_stands_beside_an_id_that_does_not_hold_it(own: str, name: str, called: str) -> None:
    assert labelled(own, name) == called
