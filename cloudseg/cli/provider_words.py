"""The options of providers as they stand on a command line, and what they come to with the configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.config import Config
    from cloudseg.providers.aws.options import AwsOptions
    from cloudseg.providers.azure.options import AzureOptions
    from cloudseg.providers.gcp.options import GcpOptions
    from cloudseg.providers.kubernetes.options import KubernetesOptions

__all__ = [
    "AwsWords",
    "AzureWords",
    "GcpWords",
    "KubernetesWords",
    "Words",
    "aws_options",
    "azure_options",
    "cluster_of_manifests",
    "gcp_options",
    "kubernetes_options",
]


class AwsWords(NamedTuple):
    """The options for AWS."""

    profiles: Sequence[str] | None = None
    regions: Sequence[str] | None = None
    roles: Sequence[str] | None = None
    external_id: str | None = None
    organization: bool = False


class KubernetesWords(NamedTuple):
    """The options for Kubernetes; ``cluster`` is for manifests as well."""

    contexts: Sequence[str] | None = None
    kubeconfig: str | None = None
    cluster: str | None = None


class AzureWords(NamedTuple):
    """The options for Azure."""

    subscriptions: Sequence[str] | None = None
    management_groups: Sequence[str] | None = None


class GcpWords(NamedTuple):
    """The options for Google Cloud."""

    projects: Sequence[str] | None = None
    folders: Sequence[str] | None = None
    organizations: Sequence[str] | None = None


class Words(NamedTuple):
    """The options of all providers."""

    aws: AwsWords = AwsWords()
    kubernetes: KubernetesWords = KubernetesWords()
    azure: AzureWords = AzureWords()
    gcp: GcpWords = GcpWords()


def aws_options(settings: Config, words: AwsWords) -> AwsOptions:
    """Return what to read of AWS: the options of the command line, each before its setting in the configuration.

    Raises:
        InputError: an external id without a role, or an ARN with an account that is none.
    """
    from cloudseg.providers.aws.options import AwsOptions

    asked_roles = tuple(words.roles or settings.aws.assume_role)
    if words.external_id is not None and not asked_roles and not (words.organization or settings.aws.organization):
        raise InputError("--external-id belongs to a role: name it with --assume-role, or leave the id out")
    for role in asked_roles:
        _check_role(role)
    return AwsOptions(
        profiles=tuple(words.profiles or settings.aws.profile),
        regions=tuple(words.regions or settings.aws.region),
        assume_roles=asked_roles,
        external_id=words.external_id or settings.aws.external_id,
        organization=words.organization or settings.aws.organization,
    )


def _check_role(role: str) -> None:
    """Refuse a role whose ARN names no account, before anything is asked; the name of a role alone is none of it.

    An account's id has 12 digits: https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html

    Raises:
        InputError: the account of the ARN has no 12 digits.
    """
    parts = role.split(":", 5)
    if parts[0] == "arn" and (len(parts) != 6 or not re.fullmatch(r"[0-9]{12}", parts[4])):
        raise InputError(f"the role {role!r}: an account has 12 digits; write arn:aws:iam::111122223333:role/NAME")


def azure_options(settings: Config, words: AzureWords) -> AzureOptions:
    """Return what to read of Azure: the options of the command line, before all settings in the configuration.

    Whoever names a subscription or a group means it alone.
    """
    from cloudseg.providers.azure.options import AzureOptions

    chosen = words if any(words) else AzureWords(settings.azure.subscription, settings.azure.management_group)
    return AzureOptions(
        subscriptions=tuple(chosen.subscriptions or ()),
        management_groups=tuple(chosen.management_groups or ()),
        cloud=settings.azure.cloud,
    )


def gcp_options(settings: Config, words: GcpWords) -> GcpOptions:
    """Return what to read of Google Cloud: the options of the command line, before all settings in the configuration.

    Whoever names a project, a folder or an organisation means it alone.
    """
    from cloudseg.providers.gcp.options import GcpOptions

    named = settings.gcp
    chosen = words if any(words) else GcpWords(named.project, named.folder, named.organization)
    return GcpOptions(
        projects=tuple(chosen.projects or ()),
        folders=tuple(chosen.folders or ()),
        organizations=tuple(chosen.organizations or ()),
    )


def kubernetes_options(settings: Config, words: KubernetesWords) -> KubernetesOptions:
    """Return which clusters to read: the options of the command line, each before its setting in the configuration.

    Raises:
        InputError: the name of the cluster is none.
    """
    from cloudseg.providers.kubernetes.options import KubernetesOptions, check_cluster

    if words.cluster is not None:
        check_cluster(words.cluster)
    # The cluster's name in the file belongs to the contexts in the file.
    configured = None if words.contexts else settings.kubernetes.cluster
    return KubernetesOptions(
        contexts=tuple(words.contexts or settings.kubernetes.context),
        kubeconfig=words.kubeconfig or settings.kubernetes.kubeconfig,
        cluster=configured if words.cluster is None else words.cluster,
    )


def cluster_of_manifests(settings: Config, words: KubernetesWords, *, live: bool) -> str | None:
    """Return the name of the cluster that manifests belong to; None where nobody gave it one.

    Args:
        settings: the configuration.
        words: the options.
        live: a live cluster is read as well, and has the name.

    Raises:
        InputError: the name could be meant for either.
    """
    if not live:
        return settings.kubernetes.cluster if words.cluster is None else words.cluster
    if words.cluster is not None:
        raise InputError(
            "--cluster could name the live cluster or that of the manifests; audit them one by one, or compare them"
            " with `cloudseg diff kubernetes MANIFESTS --cluster NAME`"
        )
    return None
