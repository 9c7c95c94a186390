"""The network plugins of clouds and of OpenShift, which are set in their own ways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.plugins.claim import ADMIN, V1, Claim, image_words
from cloudseg.providers.kubernetes.translate.plugins.daemons import truth
from cloudseg.providers.kubernetes.translate.plugins.plugin import AWS_GROUP, CILIUM_GROUP, OPENSHIFT_GROUP

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.translate.plugins.claim import Surroundings
    from cloudseg.providers.kubernetes.translate.plugins.daemons import Container, Daemon

__all__ = ["aws", "azure_cns", "azure_npm", "dataplane", "openshift"]

_MODE: Final = "NETWORK_POLICY_ENFORCING_MODE"
_VERSION: Final = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:[.-].*)?")
_ADMIN_POLICIES_OF_VPC_CNI: Final = (1, 21)
"""The release of the AWS VPC CNI that brought admin policies of its own. Source:
https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html"""


def dataplane(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge GKE Dataplane V2, which is Cilium, with policies always on.

    Which of Cilium's own policies count is a setting of the cluster. Sources:
    https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2 and
    https://cloud.google.com/kubernetes-engine/docs/how-to/configure-cilium-network-policy
    """
    return Claim("GKE Dataplane V2", image_words(container), "outside", V1, ADMIN | {CILIUM_GROUP}, enforces=True)


def azure_npm(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge the policy manager of Azure, for which ranges of addresses mean pods too.

    What comes through a node to a Service, whose policy is to spread it over nodes, it does not filter. Source:
    https://learn.microsoft.com/azure/aks/migrate-from-npm-to-cilium-network-policy
    """
    words = "; it does not filter what comes in through a NodePort or LoadBalancer with externalTrafficPolicy: Cluster"
    return Claim("Azure Network Policy Manager", f"{image_words(container)}{words}", "everywhere", V1, enforces=True)


def azure_cns(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge Azure CNI, which leaves policies to a policy engine beside it.

    Source: https://learn.microsoft.com/azure/aks/use-network-policies
    """
    return Claim("Azure CNI", f"{image_words(container)}; Azure CNI itself enforces no policies", enforces=False)


def aws(daemon: Daemon, container: Container, around: Surroundings) -> Claim:
    """Judge the AWS VPC CNI, which enforces policies where its agent runs and is switched on.

    A controller of AWS works out what the agent enforces, and pods that no controller made are not filtered. In strict
    mode a pod that no policy selects reaches nothing. Sources:
    https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html,
    https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html and
    https://github.com/aws/aws-network-policy-agent
    """
    name, words = "AWS VPC CNI", image_words(container)
    agent = next((each for each in daemon.containers if _is_agent(each)), None)
    if agent is None:
        return Claim(name, f"{words}; it has no container of the network policy agent", enforces=False)
    switch = truth(agent.flag("enable-network-policy"), default=False)
    if switch is False:
        return Claim(name, f"{words}; --enable-network-policy of its agent is off", enforces=False)
    doubt = "" if switch else "it cannot be told whether --enable-network-policy of its agent is on"
    settings = around.settings.get(("kube-system", "amazon-vpc-cni"))
    if settings is not None and (AWS_GROUP, "PolicyEndpoint") not in around.kinds:
        controller = truth(settings.get("enable-network-policy-controller"), default=False)
        doubt = doubt or ("" if controller else "the config map amazon-vpc-cni does not switch its controller on")
    modes = [each.variable(_MODE) for each in (container, agent)]
    doubt = doubt or (f"what {_MODE} of aws-node is set to cannot be told" if None in modes else "")
    strict = "strict" in modes
    version = _VERSION.fullmatch(container.tag)
    own = frozenset((AWS_GROUP,))
    known = version is not None and (int(version[1]), int(version[2])) >= _ADMIN_POLICIES_OF_VPC_CNI
    return Claim(
        "AWS VPC CNI with its network policy agent",
        words,
        groups=V1 | own if known else V1,
        doubtful=ADMIN | own if version is None else ADMIN,
        doubt=doubt,
        closed=strict,
        bare=False,
        enforces=None if doubt else True,
    )


def _is_agent(container: Container) -> bool:
    return container.name in {"aws-eks-nodeagent", "aws-network-policy-agent"} or container.image.endswith(
        "aws-network-policy-agent"
    )


def openshift(_daemon: Daemon, container: Container, around: Surroundings) -> Claim:
    """Judge OpenShift SDN by its mode: only one of the three enforces NetworkPolicies.

    Source: https://docs.redhat.com/en/documentation/openshift_container_platform/4.14/html/networking/openshift-sdn-network-plugin
    """
    words, own = image_words(container), frozenset((OPENSHIFT_GROUP,))
    modes = set(around.networks)
    if modes == {"redhat/openshift-ovs-networkpolicy"}:
        return Claim("OpenShift SDN", words, groups=V1 | own, enforces=True)
    if modes and modes <= {"redhat/openshift-ovs-multitenant", "redhat/openshift-ovs-subnet"}:
        return Claim("OpenShift SDN", f"{words}; its mode is not NetworkPolicy", groups=own, enforces=False)
    return Claim("OpenShift SDN", words, groups=V1 | own, doubt="its mode was not read", enforces=None)
