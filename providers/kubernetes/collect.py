"""Collecting clusters: every list that an audit needs, from every context, as one snapshot."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from cloudseg import __version__
from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.kubernetes.client import AnswerError, Client
from cloudseg.providers.kubernetes.discovery import Discovered, Unserved, discover, kinds_of
from cloudseg.providers.kubernetes.kubeconfig import logins, scope_of
from cloudseg.providers.kubernetes.listed import CORE, chosen, makes_cluster, missing
from cloudseg.providers.kubernetes.narrowed import Narrowed, namespaces_in
from cloudseg.providers.kubernetes.options import KubernetesOptions, check_cluster
from cloudseg.providers.kubernetes.pages import ROLE_FILE, read_list
from cloudseg.providers.kubernetes.settings import read_setting, settings_for
from cloudseg.providers.pace import CallQueue
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot, SnapshotGap
from cloudseg.text import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cloudseg.providers.kubernetes.client import Fields
    from cloudseg.providers.kubernetes.kubeconfig import Login
    from cloudseg.providers.kubernetes.listed import Kind, Served
    from cloudseg.providers.kubernetes.settings import Setting

    Progress: TypeAlias = Callable[[str, int, int], None]

__all__ = ["KubernetesOptions", "collect"]

PROVIDER: Final = "kubernetes"
_REGION: Final = "global"
_FORBIDDEN: Final = 403
_REVIEWS: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_LOST_WITH_CLUSTER: Final = ((CORE, "namespaces"), (CORE, "pods"), ("networking.k8s.io", "networkpolicies"))
"""What stands for everything that a cluster would have shown."""


class _Cluster:
    """One cluster while it is being read. Threads add to it; each of its additions is one step."""

    def __init__(self, login: Login, scope: str, options: KubernetesOptions) -> None:
        self.login = login
        self.scope = scope
        self.client = Client(login, options)
        self.caller = login.user
        self.discovered = Discovered((), (), ())
        self._versions: dict[tuple[str, str], tuple[Served, ...] | AnswerError] = {}
        self.answers: dict[Part, object] = {}
        self.gaps: list[SnapshotGap] = []
        self.failures: list[AnswerError] = []
        self.denied: dict[Kind, AnswerError] = {}
        self.narrowed: Narrowed | None = None
        self.closed: CollectError | None = None
        self.settings: list[Fields] = []
        self.asked_for_settings = False

    def enter(self) -> str:
        """Ask what is served, and as whom we ask; what fails closes the cluster."""
        try:
            self.discovered = discover(self.client)
        except AnswerError as error:
            self.close(error)
        else:
            self.caller = _caller(self.client) or self.login.user
        return self.scope

    def ask_version(self, group: str, version: str) -> str:
        """Ask which kinds one version of a group has."""
        try:
            self._versions[group, version] = kinds_of(self.client, group, version)
        except AnswerError as error:
            self._versions[group, version] = error
        return f"{self.scope} {group or CORE}"

    def kinds(self) -> list[Kind]:
        """Return the kinds to read, in the versions that the server prefers; what it cannot tell of is noted."""
        served, unserved = list(self.discovered.served), list(self.discovered.unserved)
        for group, version in self.discovered.pending:
            found = self._versions[group, version]
            if isinstance(found, AnswerError):
                unserved.append(Unserved(group, found))
            else:
                served += found
        kinds = list(chosen(served))
        if not makes_cluster(kinds):
            lost = next((each.error for each in unserved if not each.group), None)
            self.close(lost or AnswerError("unsupported", f"{self.client.server} serves no pods and namespaces"))
            return []
        for group, error in dict(unserved).items():
            for plural in missing(group, served):
                self.gaps.append(self._gap(group or CORE, plural, error))
        return kinds

    def list_kind(self, kind: Kind, page: int) -> str:
        """Read one list."""
        part = Part(PROVIDER, self.scope, _REGION, kind.service, kind.plural)
        try:
            self.answers[part] = read_list(self.client, kind, page)
        except AnswerError as error:
            self.failures.append(error)
            if error.status == _FORBIDDEN:
                self.denied[kind] = error
            else:
                self.gaps.append(self._gap(kind.service, kind.plural, error))
        return f"{self.scope} {kind.plural}"

    def narrow(self, options: KubernetesOptions) -> Iterator[Callable[[], str]]:
        """Yield what to ask by namespace, of the lists that are denied."""
        if self.denied:
            listed = self.answers.get(Part(PROVIDER, self.scope, _REGION, CORE, "namespaces"))
            known = None if listed is None else namespaces_in(listed)
            own = self.login.config.namespace
            denied = dict(sorted(self.denied.items()))
            self.narrowed = Narrowed(self.client, denied, known, own, options.narrow_lists)
            yield from self.narrowed.calls(options.page, self.scope)

    def keep_narrowed(self) -> None:
        """Add what could be read by namespace to the answers, and what could not to the gaps."""
        if self.narrowed is None:
            return
        for kind, answer in self.narrowed.read():
            self.answers[Part(PROVIDER, self.scope, _REGION, kind.service, kind.plural)] = answer
        for kind, places, error in self.narrowed.missing():
            gap = self._gap(kind.service, kind.plural, error)
            self.gaps.append(msgspec.structs.replace(gap, resource=places.words) if places else gap)

    def read_setting(self, setting: Setting) -> str:
        """Read one config map that decides how policies are enforced."""
        try:
            found = read_setting(self.client, setting)
            self.asked_for_settings = True
        except AnswerError as error:
            where = f"{setting.namespace}/{setting.name}"
            self.gaps.append(msgspec.structs.replace(self._gap(CORE, "configmaps", error), resource=where))
        else:
            self.settings += [] if found is None else [found]
        return f"{self.scope} {setting.name}"

    def keep_settings(self) -> None:
        """Add the config maps to the answers, as one list; that none of those asked for is there tells something."""
        if self.settings or self.asked_for_settings:
            items = sorted(self.settings, key=lambda item: str(item["metadata"]))
            part = Part(PROVIDER, self.scope, _REGION, CORE, "configmaps")
            self.answers[part] = {"apiVersion": "v1", "kind": "ConfigMapList", "items": items}

    def close(self, error: AnswerError) -> None:
        """Note that nothing can be read, and why."""
        self.closed = _closed(self, error)
        self.gaps = [
            SnapshotGap(PROVIDER, self.scope, _REGION, service, plural, None, error.reason, str(self.closed))
            for service, plural in _LOST_WITH_CLUSTER
        ]

    def _gap(self, service: str, plural: str, error: AnswerError) -> SnapshotGap:
        return SnapshotGap(PROVIDER, self.scope, _REGION, service, plural, None, error.reason, error.detail)


def collect(
    options: KubernetesOptions, *, progress: Progress | None = None, taken_at: datetime | None = None
) -> Snapshot:
    """Read the clusters that the options name; what cannot be read is a gap of the snapshot, and the run goes on.

    Args:
        options: which clusters, as whom, how patiently.
        progress: told what was just read, how many lists are done, and how many are due.
        taken_at: the time to write into the snapshot; now without it.

    Raises:
        CollectError: nothing at all can be read: no connection, no right, no credentials (``CredentialsError``).
        ConfigError: the kubeconfig cannot be used, or the options contradict each other.
    """
    clusters = _clusters(options)
    try:
        _read(clusters, options, progress)
    finally:
        for cluster in clusters:
            cluster.client.close()
    first = next((cluster.closed for cluster in clusters if cluster.closed), None)
    if first is not None and not any(cluster.answers for cluster in clusters):
        raise first
    moment = (taken_at or datetime.now(UTC)).astimezone(UTC)
    answers = {part: answer for cluster in clusters for part, answer in cluster.answers.items()}
    scopes = [
        ScopeRead(PROVIDER, cluster.scope, (), "" if cluster.closed else cluster.caller, cluster.login.context)
        for cluster in clusters
    ]
    manifest = Manifest(
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"cloudseg {__version__}",
        tuple(sorted(scopes, key=lambda scope: scope.scope)),
        tuple(sorted((gap for cluster in clusters for gap in cluster.gaps), key=_gap_order)),
        tuple(sorted(part.path for part in answers)),
    )
    return Snapshot.of(answers, manifest)


def _clusters(options: KubernetesOptions) -> list[_Cluster]:
    """Return the clusters to read, each under a name of its own.

    Raises:
        ConfigError: one name would stand for two.
        CollectError: there is no cluster.
    """
    found = logins(options)
    if options.cluster is not None and len(found) > 1:
        raise ConfigError(f"--cluster names one cluster, and {len(found)} are to be read; name one --context")
    scopes = Counter(options.cluster or scope_of(login) for login in found)
    for scope in scopes:
        check_cluster(scope)
    if twice := next((scope for scope, count in scopes.items() if count > 1), None):
        raise ConfigError(f"two clusters would both be called {twice}; read them one by one, with --cluster")
    return [_Cluster(login, options.cluster or scope_of(login), options) for login in found]


def _read(clusters: list[_Cluster], options: KubernetesOptions, progress: Progress | None) -> None:
    _run(options, None, [cluster.enter for cluster in clusters])
    asked = [
        partial(cluster.ask_version, group, version)
        for cluster in clusters
        for group, version in cluster.discovered.pending
    ]
    _run(options, None, asked)
    lists: list[Callable[[], str]] = []
    for cluster in clusters:
        kinds = cluster.kinds() if cluster.closed is None else []
        lists += [partial(cluster.list_kind, kind, options.page) for kind in kinds]
        lists += [partial(cluster.read_setting, each) for each in settings_for({kind.group for kind in kinds})]
    _run(options, progress, lists)
    if narrower := [call for cluster in clusters for call in cluster.narrow(options)]:
        _run(options, progress, narrower)
    for cluster in clusters:
        cluster.keep_settings()
        cluster.keep_narrowed()
    for cluster in clusters:
        if cluster.closed is None and not cluster.answers:
            failure = next((each for each in cluster.failures if each.status != 403), cluster.failures[0])
            gaps = cluster.gaps
            cluster.close(failure)
            cluster.gaps = gaps


def _run(options: KubernetesOptions, progress: Progress | None, calls: Iterable[Callable[[], str]]) -> None:
    queue = CallQueue(options.max_workers)
    for call in calls:
        queue.add(0, call)
    queue.run(progress)


def _caller(client: Client) -> str:
    """Return who the server says we are; nothing where it does not say so.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review
    """
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        told = msgspec.convert(client.post(_REVIEWS, review), _Review)
    except (AnswerError, msgspec.ValidationError):
        return ""
    return told.status.user_info.username


class _UserInfo(msgspec.Struct):
    username: str = ""


class _ReviewStatus(msgspec.Struct, rename="camel"):
    user_info: _UserInfo = msgspec.field(default_factory=_UserInfo)


class _Review(msgspec.Struct):
    status: _ReviewStatus = msgspec.field(default_factory=_ReviewStatus)


def _closed(cluster: _Cluster, error: AnswerError) -> CollectError:
    """Return the error of a cluster of which nothing can be read, with the way out."""
    login = cluster.login
    head = f"cannot read the cluster {cluster.scope} (context {login.context})"
    if error.login or error.status == 401:
        return CredentialsError(
            f"{head}: the credentials of the user {login.user or '(none)'} do not do: {error.detail}; log in anew, "
            f"until `kubectl --context {login.context} get pods` works"
        )
    if error.status == 403 and not cluster.failures:
        return CollectError(f"{head}: {error.detail}; bind the role system:discovery to {cluster.caller or 'the user'}")
    if error.status == 403:
        refused = amount(len(cluster.failures), "list")
        return CollectError(
            f"{head}: {cluster.caller or 'the user'} may read none of {refused}; grant {ROLE_FILE} ({error.detail})"
        )
    return CollectError(
        f"{head}: {error.detail}; look at the server and the proxy in the kubeconfig, or at the way there"
    )


def _gap_order(gap: SnapshotGap) -> tuple[str, ...]:
    return (gap.scope, gap.region, gap.service, gap.operation, gap.detail)
