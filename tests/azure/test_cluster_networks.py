"""What the network profile of an AKS cluster tells of its pods and policies, in words.

Sources: https://learn.microsoft.com/azure/aks/concepts-network-cni-overview and
https://learn.microsoft.com/azure/aks/use-network-policies
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.beside import VNET, Beside, resource

OVERLAY = "pods have addresses of an overlay (10.244.0.0/16)"
NOBODY = "nothing of Azure's enforces network policies"


@pytest.mark.parametrize(
    ("profile", "pool", "addresses", "policies"),
    [
        ({"networkPlugin": "kubenet", "podCidr": "10.244.0.0/16"}, {}, f"{OVERLAY}, by kubenet", NOBODY),
        (
            {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.244.0.0/16",
             "networkPolicy": "cilium", "networkDataplane": "cilium"}, {},
            f"{OVERLAY}, by Azure CNI", "network policies are enforced by Cilium",
        ),
        (
            {"networkPlugin": "azure", "networkPolicy": "azure"}, {},
            "pods have addresses of their node's interface, by Azure CNI",
            "network policies are enforced by Azure Network Policy Manager",
        ),
        (
            {"networkPlugin": "azure", "networkPolicy": "calico"}, {"podSubnetID": f"{VNET}/subnets/pods"},
            "pods have addresses of a subnet of their own, by Azure CNI", "network policies are enforced by Calico",
        ),
        # The dataplane Cilium enforces policies whatever the other setting says.
        (
            {"networkPlugin": "azure", "networkDataplane": "cilium"}, {},
            "pods have addresses of their node's interface, by Azure CNI", "network policies are enforced by Cilium",
        ),
        ({"networkPlugin": "azure", "networkPolicy": "none"}, {},
         "pods have addresses of their node's interface, by Azure CNI", NOBODY),
        (
            {"networkPlugin": "none"}, {},
            "where pods have their addresses depends on a network plugin of the user's own",
            "who enforces network policies it does not tell",
        ),
    ],
)  # fmt: skip
def test_the_network_profile_is_told(
    profile: dict[str, Any], pool: dict[str, Any], addresses: str, policies: str
) -> None:
    properties = {"networkProfile": profile, "agentPoolProfiles": [{"name": "one", **pool}]}
    cluster = resource("Microsoft.ContainerService/managedClusters", "shop", properties)
    estate = Beside().put("containerservice.managed_clusters", cluster).estate()
    assert f"the network profile of the AKS cluster shop: {addresses}; {policies}" in estate.notes
