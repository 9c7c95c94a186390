"""The few config maps that decide how policies are enforced, asked for by name; no other is ever read.

Of each only the settings that are judged are kept. Where the plugin or mesh whose settings they are is not there,
nothing is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cloudseg.providers.kubernetes.client import AnswerError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from cloudseg.providers.kubernetes.client import Client, Fields

__all__ = ["SETTINGS", "Setting", "read_setting", "settings_for"]

_GONE: Final = 404


class Setting(NamedTuple):
    """A config map.

    Attributes:
        groups: API groups that show that somebody uses it.
        namespace: where it stands.
        name: its name.
        keys: the settings that are kept.
    """

    groups: tuple[str, ...]
    namespace: str
    name: str
    keys: tuple[str, ...]

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return f"/api/v1/namespaces/{self.namespace}/configmaps/{self.name}"


SETTINGS: Final = (
    # https://docs.cilium.io/en/stable/security/network/policyenforcement/
    Setting(("cilium.io",), "kube-system", "cilium-config", ("enable-policy", "policy-cidr-match-mode")),
    # https://docs.aws.amazon.com/eks/latest/userguide/network-policy-disable.html
    Setting(
        ("vpcresources.k8s.aws", "crd.k8s.amazonaws.com", "networking.k8s.aws"),
        "kube-system",
        "amazon-vpc-cni",
        ("enable-network-policy-controller",),
    ),
    # https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
    Setting(("security.istio.io", "networking.istio.io"), "istio-system", "istio", ("mesh",)),
)


def settings_for(groups: Collection[str]) -> Iterator[Setting]:
    """Yield the config maps that matter where API groups are served."""
    return (setting for setting in SETTINGS if any(group in groups for group in setting.groups))


def read_setting(client: Client, setting: Setting) -> Fields | None:
    """Return a config map with the settings that are kept; None where there is none.

    Raises:
        AnswerError: it cannot be read.
    """
    try:
        answer = client.get(setting.path)
    except AnswerError as error:
        if error.status == _GONE:
            return None
        if error.status != 403:
            raise
        rule = f'resources: ["configmaps"], resourceNames: ["{setting.name}"], verbs: ["get"]'
        raise AnswerError("denied", f"grant {rule}; {error.detail}", 403) from error
    data = answer.get("data")
    given = cast("Fields", data) if isinstance(data, dict) else {}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": setting.name, "namespace": setting.namespace},
        "data": {key: given[key] for key in setting.keys if isinstance(given.get(key), str)},
    }
