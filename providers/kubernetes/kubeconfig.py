"""Kubeconfig files and service accounts: which cluster, and as whom.

Lightkube reads one file, and not all of its fields. Here several files become one as kubectl does it, paths in a file
are relative to it, and a proxy, the name on the certificate and impersonation count too. Sources:
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ and
https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import msgspec
import yaml
from lightkube.config.kubeconfig import SERVICE_ACCOUNT, KubeConfig, SingleConfig
from lightkube.config.models import Cluster, Context, NameValue, User, UserExec
from lightkube.core.exceptions import ConfigError as LightkubeError

from cloudseg.errors import CollectError, ConfigError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.providers.kubernetes.options import KubernetesOptions

__all__ = ["Login", "logins", "scope_of"]

Fields = dict[str, object]

DEFAULT_FILE: Final = "~/.kube/config"
_IN_CLUSTER: Final = "in-cluster"
_PATHS: Final = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
}
_ENCODED: Final = ("certificate-authority-data", "client-certificate-data", "client-key-data")
_LISTS: Final = {"clusters": "cluster", "contexts": "context", "users": "user"}
_EXEC_KNOWN: Final = "client.authentication.k8s.io/v1beta1"
_EXEC_VERSIONS: Final = frozenset((_EXEC_KNOWN, "client.authentication.k8s.io/v1"))
_SHOWN: Final = 10


class Login(NamedTuple):
    """One way into a cluster.

    Attributes:
        context: the name of the context.
        cluster: the name of the cluster, as the kubeconfig calls it.
        user: the name of the user there; empty where there is none.
        config: what lightkube needs.
        proxy: the proxy that the kubeconfig asks for.
        server_name: the name that the server's certificate must bear, where that is not the host's.
        headers: who is impersonated.
    """

    context: str
    cluster: str
    user: str
    config: SingleConfig
    proxy: str | None = None
    server_name: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def logins(options: KubernetesOptions) -> tuple[Login, ...]:
    """Return the clusters that the options name, each once; the current context where they name none.

    Raises:
        ConfigError: a kubeconfig is missing or malformed, or has no such context.
        CollectError: there is no kubeconfig, and no cluster around this process.
    """
    files = _files(options.kubeconfig)
    if not files:
        if options.contexts:
            raise ConfigError(f"--context {options.contexts[0]}: there is no kubeconfig; name one with --kubeconfig")
        return (_around(),)
    merged = _merged(files)
    wanted = options.contexts or (_current(merged, files),)
    found: dict[str, Login] = {}
    for name in dict.fromkeys(wanted):
        login = _login(merged, name, files)
        found.setdefault(login.cluster, login)
    return tuple(found.values())


def scope_of(login: Login) -> str:
    """Return the name of a cluster in a snapshot: a colon would part it from what is in the cluster.

    EKS writes ARNs. They become ``eks_<account>_<region>_<name>``, as GKE names its own
    (``gke_<project>_<location>_<name>``).
    """
    name = login.cluster or login.context
    parts = name.split(":", 5)
    if parts[0] == "arn" and len(parts) == 6 and parts[5].startswith("cluster/"):
        name = f"eks_{parts[4]}_{parts[3]}_{parts[5].removeprefix('cluster/')}"
    return name.replace(":", "_")


def _files(named: str | None) -> list[Path]:
    """Return the kubeconfig files that are there.

    Raises:
        ConfigError: the one that was named is not there.
    """
    if named is not None:
        path = Path(named).expanduser()
        if not path.is_file():
            raise ConfigError(f"there is no kubeconfig {named}; name a file with --kubeconfig")
        return [path]
    listed = os.environ.get("KUBECONFIG", "")
    paths = [Path(each).expanduser() for each in (listed or DEFAULT_FILE).split(os.pathsep) if each]
    files = [path for path in paths if path.is_file()]
    if listed and not files:
        raise ConfigError(f"KUBECONFIG names {listed}, and there is no such file; name one with --kubeconfig")
    return files


def _around() -> Login:
    """Return the cluster around this process, as the service account of its pod."""
    try:
        config = KubeConfig.from_service_account(SERVICE_ACCOUNT).get()
    except (LightkubeError, KeyError, OSError):
        config = None
    if config is None:
        raise CollectError(
            f"there is no kubeconfig ({DEFAULT_FILE}, or the files that KUBECONFIG names), and no cluster around this"
            " process; name a file with --kubeconfig"
        )
    return Login(_IN_CLUSTER, _IN_CLUSTER, f"service account of namespace {config.namespace}", config)


def _merged(files: list[Path]) -> dict[str, dict[str, Fields]]:
    """Return the entries of several files by their names: the first file that has one counts."""
    merged: dict[str, dict[str, Fields]] = {key: {} for key in _LISTS}
    current: dict[str, Fields] = {}
    for path in files:
        document = _read(path)
        name = document.get("current-context")
        if isinstance(name, str) and name:
            current.setdefault("current-context", {"name": name})
        for key, inner in _LISTS.items():
            for entry_name, entry in _entries(document, key, inner, path):
                merged[key].setdefault(entry_name, entry)
    return {**merged, "current": current}


def _read(path: Path) -> Fields:
    try:
        document: object = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the kubeconfig {path}: {error}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place is not None else ""
        raise ConfigError(f"the kubeconfig {path}{line} is no YAML") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"the kubeconfig {path} must be a mapping with clusters, contexts and users")
    return cast("Fields", document)


def _entries(document: Fields, key: str, inner: str, path: Path) -> list[tuple[str, Fields]]:
    listed = document.get(key)
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise ConfigError(f"the kubeconfig {path}: {key} must be a list")
    found: list[tuple[str, Fields]] = []
    for number, item in enumerate(cast("list[object]", listed)):
        entry = cast("Fields", item) if isinstance(item, dict) else {}
        name, content = entry.get("name"), entry.get(inner)
        if not isinstance(name, str) or not isinstance(content, dict | None):
            raise ConfigError(f"the kubeconfig {path}: {key}[{number}] must have a name and {inner}")
        found.append((name, _placed(cast("Fields", content or {}), inner, path)))
    return found


def _placed(content: Fields, inner: str, path: Path) -> Fields:
    """Return an entry whose paths no longer depend on the file that it stands in."""
    folder = path.absolute().parent
    placed = dict(content)
    for key in _PATHS.get(inner, ()):
        value = placed.get(key)
        if isinstance(value, str) and value:
            placed[key] = str(folder / value)
    program = placed.get("exec")
    if isinstance(program, dict):
        fields = cast("Fields", program)
        command = fields.get("command")
        # A bare name is looked for along PATH.
        if isinstance(command, str) and "/" in command:
            placed["exec"] = {**fields, "command": str(folder / command)}
    return placed


def _current(merged: Mapping[str, dict[str, Fields]], files: list[Path]) -> str:
    current = merged["current"].get("current-context")
    if current is None:
        raise ConfigError(f"{_named(files)} sets no current context; name one with --context: {_listed(merged)}")
    return str(current["name"])


def _login(merged: Mapping[str, dict[str, Fields]], name: str, files: list[Path]) -> Login:
    context = merged["contexts"].get(name)
    if context is None:
        raise ConfigError(f"{_named(files)} has no context {name!r}; there are: {_listed(merged)}")
    cluster, user = str(context.get("cluster") or ""), str(context.get("user") or "")
    if cluster not in merged["clusters"]:
        raise ConfigError(f"{_named(files)}: the context {name!r} names the cluster {cluster!r}, which is not there")
    if user and user not in merged["users"]:
        raise ConfigError(f"{_named(files)}: the context {name!r} names the user {user!r}, who is not there")
    about, who = merged["clusters"][cluster], merged["users"].get(user, {})
    if not isinstance(about.get("server"), str) or not about["server"]:
        raise ConfigError(f"{_named(files)}: the cluster {cluster!r} names no server")
    for key in _ENCODED:
        _check_base64({**about, **who}.get(key), f"{_named(files)}: the context {name!r}: {key}")
    try:
        config = SingleConfig(
            context_name=name,
            context=msgspec.convert({**context, "user": user or None}, Context),
            cluster=msgspec.convert(about, Cluster),
            user=_user(msgspec.convert(who, User), user, who, about),
        )
    except msgspec.ValidationError as error:
        raise ConfigError(f"{_named(files)}: the context {name!r} cannot be used: {error}") from error
    return Login(
        name,
        cluster,
        user,
        config,
        _text(about.get("proxy-url")),
        _text(about.get("tls-server-name")),
        tuple(_impersonation(who)),
    )


def _check_base64(value: object, place: str) -> None:
    if not isinstance(value, str):
        return
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except ValueError as error:
        raise ConfigError(f"{place} is no base64") from error


def _user(user: User, name: str, who: Fields, cluster: Fields) -> User:
    """Return a user that lightkube takes: it wants one always, and knows older versions of exec plugins alone.

    Raises:
        CredentialsError: nobody can log in that way any more.
    """
    if user.exec is not None and user.exec.apiVersion in _EXEC_VERSIONS:
        return msgspec.structs.replace(user, exec=_exec(user.exec, cluster))
    if "auth-provider" in who and not (user.token or user.token_file or user.exec or user.username):
        raise CredentialsError(
            f"the user {name!r} of the kubeconfig logs in by an auth-provider, which Kubernetes gave up in 1.26; fetch"
            " the credentials anew with the tool of your cloud"
        )
    return user


def _exec(program: UserExec, cluster: Fields) -> UserExec:
    """Return an exec plugin with what it is told of this run; the answers of both versions are alike.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
    """
    told = {"server": cluster.get("server"), "certificate-authority-data": cluster.get("certificate-authority-data")}
    info = {
        "apiVersion": program.apiVersion,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {key: value for key, value in told.items() if value}},
    }
    variables = [*(program.env or ()), NameValue(name="KUBERNETES_EXEC_INFO", value=json.dumps(info))]
    return msgspec.structs.replace(program, apiVersion=_EXEC_KNOWN, env=variables)


def _impersonation(user: Fields) -> list[tuple[str, str]]:
    """Return the headers by which a user acts as another one.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
    """
    headers: list[tuple[str, str]] = []
    if name := _text(user.get("as")):
        headers.append(("Impersonate-User", name))
    if uid := _text(user.get("as-uid")):
        headers.append(("Impersonate-Uid", uid))
    groups = user.get("as-groups")
    if isinstance(groups, list):
        headers += [("Impersonate-Group", str(group)) for group in cast("list[object]", groups)]
    return headers


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _named(files: list[Path]) -> str:
    return f"the kubeconfig {os.pathsep.join(map(str, files))}"


def _listed(merged: Mapping[str, dict[str, Fields]]) -> str:
    names = list(merged["contexts"])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "no contexts at all"
