"""What resources are called: ids made of names need no name beside them."""

import pytest

from cloudseg.model import labelled, qualified, shown_id

_GROUP = "/subscriptions/0b/resourcegroups/rg-net"
_VNET = f"{_GROUP}/providers/microsoft.network/virtualnetworks/hub"


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


@pytest.mark.parametrize(
    ("own", "name", "called"),
    [
        (_VNET, "Hub", "Hub (rg-net)"),
        (f"{_VNET}/subnets/web", "", "hub/web (rg-net)"),
        (f"{_GROUP}/providers/microsoft.network/networkinterfaces/web-1-nic", "web-1", "web-1-nic (rg-net)"),
        (f"{_GROUP}/providers/microsoft.network/networkinterfaces/nic-7", "web-1", "nic-7 (rg-net): web-1"),
        (f"{_VNET}/internet", "", "internet of hub (rg-net)"),
        (f"{_VNET}/systemroutes", "", "system routes of hub (rg-net)"),
        (f"{_VNET}/securityadminrules", "security admin rules of rg-net/hub", "security admin rules of rg-net/hub"),
    ],
)
def test_of_an_arm_id_the_names_in_it_are_read(own: str, name: str, called: str) -> None:
    assert labelled(own, name) == called


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [
        (qualified("azure", "0b", f"{_VNET}/subnets/web"), "hub/web (rg-net)"),
        ("aws:111122223333:eu-west-1:subnet-1", "subnet-1"),
        ("kubernetes:prod:shop/web[Deployment]@subnet-1", "shop/web[Deployment]@subnet-1"),
    ],
)
def test_texts_shorten_arm_ids_alone(identifier: str, shown: str) -> None:
    assert shown_id(identifier) == shown
