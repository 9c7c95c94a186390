"""What of an object is kept: what tells who reaches whom, and no secrets.

Pods hold passwords in variables, arguments, probes and volumes, and whoever applied an object left a copy of it in an
annotation. So of pods, templates and nodes only the fields named here are kept; of other kinds everything but their
bookkeeping.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["FLAGS", "SETTINGS", "pruned"]

Fields = dict[str, object]

_METADATA_DROPPED: Final = frozenset(("managedFields", "resourceVersion", "selfLink"))
_COPIES: Final = re.compile(r"last-applied|(^|/)(applied|original|original-pod|last-configuration)$|^cloudseg\.io/")
"""Annotations that repeat an object as it was applied, by kubectl and others, or a whole pod as it was before something
was injected; and our own, which tell of files."""

_POD: Final = (
    "automountServiceAccountToken",
    "dnsPolicy",
    "enableServiceLinks",
    "hostNetwork",
    "hostname",
    "nodeName",
    "nodeSelector",
    "os",
    "priorityClassName",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "serviceAccount",
    "serviceAccountName",
    "subdomain",
)
_CONTAINER_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
_CONTAINER: Final = ("image", "name", "ports", "restartPolicy")
_POD_STATUS: Final = ("hostIP", "hostIPs", "phase", "podIP", "podIPs")
_CONTROLLER: Final = (
    "completions",
    "minReadySeconds",
    "parallelism",
    "paused",
    "podManagementPolicy",
    "replicas",
    "schedule",
    "selector",
    "serviceName",
    "suspend",
)
_NODE: Final = ("podCIDR", "podCIDRs", "providerID", "taints", "unschedulable")
_NODE_STATUS: Final = ("addresses", "nodeInfo")
_CONDITION: Final = ("type", "status")

SETTINGS: Final = frozenset(
    (
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
        "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS",
        "AWS_VPC_K8S_CNI_EXTERNALSNAT",
        "ENABLE_POD_ENI",
        "ENABLE_V4_EGRESS",
        "ENABLE_V6_EGRESS",
        "EXPECT_NPC",
        "FELIX_DEFAULTENDPOINTTOHOSTACTION",
        "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY",
        "NETWORK_POLICY_ENFORCING_MODE",
        "POD_SECURITY_GROUP_ENFORCING_MODE",
    )
)
"""Variables by which network plugins and meshes are told how to enforce, no secrets; all others are dropped."""

FLAGS: Final = frozenset(
    (
        "acl-auth-method",
        "admin-network-policy",
        "allow-k8s-namespace",
        "consul-destination-namespace",
        "default-enable-transparent-proxy",
        "default-inject",
        "deny-k8s-namespace",
        "disable-network-policy",
        "enable-admin-network-policy",
        "enable-k8s-namespace-mirroring",
        "enable-k8s-networkpolicy",
        "enable-namespaces",
        "enable-network-policy",
        "enable-network-policy-controller",
        "enable-policy",
        "k8s-namespace-mirroring-prefix",
        "network-policy",
        "run-firewall",
    )
)
"""Flags by which they are told so; all other arguments are dropped."""

_FLAG: Final = re.compile(
    rf"(?<![\w-])--?({'|'.join(sorted(FLAGS, key=len, reverse=True))})"
    r"(=[^\s\"']{0,40}|=\"[^\s\"]{0,40}\")?(?![\w-])"
)

_VALUE: Final = re.compile(r"\w[\w.-]{0,40}")

_WITH_TEMPLATES: Final = frozenset(
    (
        ("", "ReplicationController"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "Job"),
    )
)


def pruned(item: Fields, group: str, kind: str) -> Fields:
    """Return an object without what is not to be kept, by its API group and kind; the object itself stays as it is.

    What is not shaped as its kind is dropped where it could hold anything.
    """
    metadata = _metadata(item.get("metadata"))
    spec, status = _fields(item.get("spec")), _fields(item.get("status"))
    if (group, kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        return {"metadata": _only(metadata, ("name",))}
    if (group, kind) == ("", "Pod"):
        kept = {**_only(status, _POD_STATUS), **_conditions(status)}
        return {"metadata": metadata, "spec": _pod_spec(spec), "status": kept}
    if (group, kind) in _WITH_TEMPLATES:
        return {"metadata": metadata, "spec": _controller(spec), "status": _controller_status(status)}
    if (group, kind) == ("batch", "CronJob"):
        job = _fields(spec.get("jobTemplate"))
        template = {"metadata": _metadata(job.get("metadata")), "spec": _controller(_fields(job.get("spec")))}
        return {"metadata": metadata, "spec": {**_only(spec, _CONTROLLER), "jobTemplate": template}}
    if (group, kind) == ("", "Node"):
        kept = {**_only(status, _NODE_STATUS), **_conditions(status)}
        return {"metadata": metadata, "spec": _only(spec, _NODE), "status": kept}
    if (group, kind) == ("", "ServiceAccount"):
        return {"metadata": metadata, **_only(item, ("automountServiceAccountToken",))}
    return {**item, "metadata": metadata}


def _metadata(value: object) -> Fields:
    metadata = _fields(value)
    kept = {key: each for key, each in metadata.items() if key not in _METADATA_DROPPED}
    if "annotations" in metadata:
        annotations = _fields(metadata["annotations"])
        kept["annotations"] = {key: each for key, each in annotations.items() if not _COPIES.search(key)}
    return kept


def _pod_spec(spec: Fields) -> Fields:
    kept = _only(spec, _POD)
    for key in _CONTAINER_LISTS:
        if key in spec:
            kept[key] = [_container(each) for each in _list(spec[key])]
    return kept


def _container(value: object) -> Fields:
    container = _fields(value)
    kept = _only(container, _CONTAINER)
    arguments = _arguments((*_list(container.get("command")), *_list(container.get("args"))))
    variables = map(_fields, _list(container.get("env")))
    settings = [_setting(each) for each in variables if str(each.get("name")) in SETTINGS]
    # That others are set elsewhere is kept, and not where.
    elsewhere: Fields = {"envFrom": [{}]} if container.get("envFrom") else {}
    return {
        **kept,
        **({"args": arguments} if arguments else {}),
        **({"env": settings} if settings else {}),
        **elsewhere,
    }


def _arguments(given: tuple[object, ...]) -> list[str]:
    """Return the flags that are kept, with what they are set to; they may stand in the text of a script."""
    found: list[str] = []
    texts = [each if isinstance(each, str) else "" for each in given]
    for text, following in zip(texts, [*texts[1:], ""], strict=False):
        matches = list(_FLAG.finditer(text))
        found += [match[0] for match in matches]
        alone = len(matches) == 1 and matches[0][0] == text and matches[0][2] is None
        if alone and _VALUE.fullmatch(following):
            found.append(following)
    return found


def _setting(variable: Fields) -> Fields:
    """Return a variable without where its value comes from, if it comes from elsewhere."""
    return {**_only(variable, ("name", "value")), **({"valueFrom": {}} if "valueFrom" in variable else {})}


def _controller(spec: Fields) -> Fields:
    kept = _only(spec, _CONTROLLER)
    if "template" in spec:
        template = _fields(spec["template"])
        kept["template"] = {
            "metadata": _metadata(template.get("metadata")),
            "spec": _pod_spec(_fields(template.get("spec"))),
        }
    return kept


def _controller_status(status: Fields) -> Fields:
    numbers = {key: value for key, value in status.items() if isinstance(value, int)}
    return {**numbers, **_only(status, ("completionTime",)), **_conditions(status)}


def _conditions(status: Fields) -> Fields:
    if "conditions" not in status:
        return {}
    return {"conditions": [_only(_fields(each), _CONDITION) for each in _list(status["conditions"])]}


def _only(fields: Fields, keys: Collection[str]) -> Fields:
    return {key: value for key, value in fields.items() if key in keys}


def _fields(value: object) -> Fields:
    return cast("Fields", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
