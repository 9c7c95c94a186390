"""Daemons of network plugins as their vendors ship them, shortened to what tells them apart.

Sources: the manifests and charts of the plugins, named in the docstrings of ``translate/plugins``.
"""

from typing import Any

from tests.kubernetes.cluster import written

ECR = "602401143452.dkr.ecr.us-west-2.amazonaws.com"
IMAGES = {
    "aws-node": f"{ECR}/amazon-k8s-cni:v1.19.2-eksbuild.1",
    "aws-eks-nodeagent": f"{ECR}/amazon/aws-network-policy-agent:v1.1.6-eksbuild.1",
}


def container(
    name: str, image: str, *args: str, command: list[str] | None = None, env: dict[str, str] | None = None
) -> dict[str, Any]:
    variables: list[dict[str, Any]] = [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]
    variables += [{"name": key, "value": value} for key, value in (env or {}).items()]
    found: dict[str, Any] = {"name": name, "image": image, "args": list(args), "env": variables}
    return found | ({} if command is None else {"command": command})


def daemon_set(
    name: str, *containers: dict[str, Any], namespace: str = "kube-system", windows: bool = False, **fields: Any
) -> dict[str, Any]:
    spec: dict[str, Any] = {"hostNetwork": True, "containers": list(containers)}
    if windows:
        spec["nodeSelector"] = {"kubernetes.io/os": "windows"}
    template = {"metadata": {"labels": {"k8s-app": name}}, "spec": spec}
    return written("DaemonSet", name, namespace, spec={"template": template}, **fields)


def node(name: str, labels: dict[str, str] | None = None, marks: dict[str, str] | None = None) -> dict[str, Any]:
    return written("Node", name, metadata={"labels": labels or {}, "annotations": marks or {}})


def config_map(name: str, **data: str) -> dict[str, Any]:
    return written("ConfigMap", name, "kube-system", data={key.replace("_", "-"): value for key, value in data.items()})


def running(item: dict[str, Any], **status: Any) -> dict[str, Any]:
    """An object as a cluster that runs tells it."""
    metadata = {**item["metadata"], "uid": "1b9c2a00-0000-4000-8000-000000000001"}
    return {**item, "metadata": metadata, "status": status}


def calico(namespace: str = "kube-system") -> dict[str, Any]:
    return daemon_set("calico-node", container("calico-node", "docker.io/calico/node:v3.28.0"), namespace=namespace)


def canal() -> dict[str, Any]:
    return daemon_set(
        "canal",
        container("calico-node", "docker.io/calico/node:v3.28.0"),
        container("kube-flannel", "docker.io/flannel/flannel:v0.24.4", command=["/opt/bin/flanneld", "--ip-masq"]),
    )


def rke2_canal() -> dict[str, Any]:
    return daemon_set(
        "rke2-canal",
        container("calico-node", "docker.io/rancher/hardened-calico:v3.28.1-build20240806"),
        container("kube-flannel", "docker.io/rancher/hardened-flannel:v0.25.5-build20240801"),
    )


def cilium(*args: str) -> dict[str, Any]:
    image = "quay.io/cilium/cilium:v1.16.1@sha256:0b4a3ab41a4760d86b7fc945b8783747ba27f29dac30dd434d94f2c9e3679f39"
    agent = container("cilium-agent", image, "--config-dir=/tmp/cilium/config-map", *args, command=["cilium-agent"])
    return daemon_set("cilium", agent)


def anetd() -> dict[str, Any]:
    return daemon_set("anetd", container("cilium-agent", "gke.gcr.io/cilium/cilium:v1.14.13-gke1.30"))


def antrea() -> dict[str, Any]:
    agent = container("antrea-agent", "antrea/antrea-agent-ubuntu:v2.1.0", command=["antrea-agent"])
    return daemon_set("antrea-agent", agent, container("antrea-ovs", "antrea/antrea-agent-ubuntu:v2.1.0"))


def weave(*, controller: bool = True, **env: str) -> dict[str, Any]:
    found = [container("weave", "weaveworks/weave-kube:2.8.1", command=["/home/weave/launch.sh"], env=env)]
    if controller:
        found.append(container("weave-npc", "weaveworks/weave-npc:2.8.1"))
    return daemon_set("weave-net", *found)


def kube_router(*args: str) -> dict[str, Any]:
    return daemon_set("kube-router", container("kube-router", "docker.io/cloudnativelabs/kube-router:v2.2.1", *args))


def azure_npm() -> dict[str, Any]:
    return daemon_set("azure-npm", container("azure-npm", "mcr.microsoft.com/containernetworking/azure-npm:v1.5.34"))


def azure_cns() -> dict[str, Any]:
    return daemon_set("azure-cns", container("cns-container", "mcr.microsoft.com/containernetworking/azure-cns:v1.6.5"))


def aws(*agent: str, with_agent: bool = True, image: str = IMAGES["aws-node"], **env: str) -> dict[str, Any]:
    found = [container("aws-node", image, env=env)]
    if with_agent:
        fixed = ("--enable-ipv6=false", "--metrics-bind-addr=:8162")
        found.append(container("aws-eks-nodeagent", IMAGES["aws-eks-nodeagent"], *fixed, *agent))
    return daemon_set("aws-node", *found)


def flannel(*beside: dict[str, Any]) -> dict[str, Any]:
    own = container("kube-flannel", "ghcr.io/flannel-io/flannel:v0.26.1", "--ip-masq", command=["/opt/bin/flanneld"])
    return daemon_set("kube-flannel-ds", own, *beside, namespace="kube-flannel")


def kindnet(tag: str, *args: str) -> dict[str, Any]:
    return daemon_set("kindnet", container("kindnet-cni", f"docker.io/kindest/kindnetd:{tag}", *args))


def kube_network_policies(*args: str) -> dict[str, Any]:
    image = "registry.k8s.io/networking/kube-network-policies:v0.7.0"
    own = container("kube-network-policies", image, *args, command=["/bin/netpol", "--v=2"])
    return daemon_set("kube-network-policies", own)


def ovn_kubernetes(script: str = "exec /usr/bin/ovnkube") -> dict[str, Any]:
    own = container(
        "ovnkube-controller", "quay.io/openshift-release-dev/ocp-v4.0-art-dev", command=["/bin/bash", "-c", script]
    )
    return daemon_set("ovnkube-node", own, namespace="openshift-ovn-kubernetes")


def openshift_sdn() -> dict[str, Any]:
    own = container("sdn", "quay.io/openshift-release-dev/ocp-v4.0-art-dev")
    return daemon_set("sdn", own, namespace="openshift-sdn")


def cluster_network(mode: str) -> dict[str, Any]:
    version = "network.openshift.io/v1"
    return written("ClusterNetwork", "default", apiVersion=version, pluginName=f"redhat/openshift-ovs-{mode}")


def romana() -> dict[str, Any]:
    return daemon_set("romana-agent", container("romana-agent", "quay.io/romana/agent:v2.0.2"))


def installation() -> dict[str, Any]:
    return written("Installation", "default", apiVersion="operator.tigera.io/v1", spec={"variant": "Calico"})


def unknown() -> dict[str, Any]:
    return daemon_set("own-cni", container("agent", "registry.example/own-cni:1.0"))
