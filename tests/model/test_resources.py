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
    ("own", "name", "called"),
    [
        ("zones/us-central1-a/instances/web", "web", "web (us-central1-a)"),
        ("zones/us-central1-a/instances/web/nic0", "web", "web/nic0 (us-central1-a)"),
        ("zones/us-central1-a/instances/web/nic0/aliases", "web", "web/nic0/aliases (us-central1-a)"),
        ("regions/us-central1/subnetworks/web", "web", "web (us-central1)"),
        # Of the same name in the same region, so that the kind stays.
        ("regions/us-central1/forwardingRules/web", "web", "forwardingRules/web (us-central1)"),
        (
            "regions/us-central1/forwardingRules/web/proxies",
            "front",
            "forwardingRules/web/proxies (us-central1): front",
        ),
        ("run/locations/europe-west1/services/api", "api", "run/services/api (europe-west1)"),
        ("sqladmin/instances/orders", "orders", "sqladmin/instances/orders"),
        ("global/firewalls/ssh", "ssh", "global/firewalls/ssh"),
        ("locations/global/firewallPolicies/123", "guard", "locations/global/firewallPolicies/123 (guard)"),
        # A cluster's namespace may bear any name.
        ("zones/NetworkPolicy/web", "web", "zones/NetworkPolicy/web"),
    ],
)
def test_of_a_google_id_in_a_place_the_names_in_it_are_read(own: str, name: str, called: str) -> None:
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
