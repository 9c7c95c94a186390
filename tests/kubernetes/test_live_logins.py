"""Kubeconfigs, contexts, plugins, certificates and service accounts."""

import ipaddress
import json
import os
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloudseg.errors import CollectError, ConfigError, CredentialsError, InputError
from cloudseg.providers.kubernetes import kubeconfig as reading
from cloudseg.providers.kubernetes.collect import collect
from tests.kubernetes.api_server import Cluster, Entry, Fields, kubeconfig, serving
from tests.kubernetes.live import quick, shop

TOKEN = "secret-token"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No kubeconfig and no cluster around but those of the test."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def guarded() -> Cluster:
    cluster = shop()
    cluster.token = TOKEN
    return cluster


def plugin(folder: Path, answer: str, *, code: int = 0) -> Path:
    """Write a plugin that notes how it was called and prints an answer."""
    path = folder / "plugin"
    path.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        f"open({str(folder / 'called')!r}, 'a').write(os.environ['KUBERNETES_EXEC_INFO'] + chr(10))\n"
        f"print({answer!r}, file=sys.stdout if {code} == 0 else sys.stderr)\nsys.exit({code})\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def credential(token: str) -> str:
    return json.dumps({"kind": "ExecCredential", "status": {"token": token}})


def certificate(folder: Path, name: str = "127.0.0.1") -> Path:
    """Write a certificate that signs itself, with its key, for an address or the name of a host."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cloudseg test")])
    try:
        names: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        names = x509.DNSName(name)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    path = folder / "server.pem"
    path.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def callers(file: Path | None, **changes: Any) -> list[str]:
    options = quick(file or Path("unused"), **({} if file else {"kubeconfig": None}), **changes)
    return [scope.scope for scope in collect(options).scopes]


def test_the_current_context_is_read_where_none_is_named(tmp_path: Path) -> None:
    with serving(shop()) as address:
        file = kubeconfig(tmp_path / "config", current="b", a={"server": "http://127.0.0.1:1"}, b={"server": address})
        assert callers(file) == ["b-cluster"]


def test_several_contexts_are_several_clusters(tmp_path: Path) -> None:
    with serving(shop()) as address:
        file = kubeconfig(tmp_path / "config", a={"server": address}, b={"server": address}, c={"server": address})
        assert callers(file, contexts=("c", "a")) == ["a-cluster", "c-cluster"]


def test_two_contexts_of_one_cluster_are_read_once(tmp_path: Path) -> None:
    cluster = shop()
    with serving(cluster) as address:
        file = kubeconfig(
            tmp_path / "config",
            a={"server": address, "cluster": "prod"},
            b={"server": address, "cluster": "prod"},
        )
        assert callers(file, contexts=("a", "b")) == ["prod"]
    assert cluster.paths().count("/api/v1/pods") == 1


def test_a_cluster_gets_the_name_it_is_given(tmp_path: Path) -> None:
    with serving(shop()) as address:
        file = kubeconfig(tmp_path / "config", a={"server": address}, b={"server": address})
        assert callers(file, cluster="mine") == ["mine"]
        with pytest.raises(ConfigError, match="--cluster names one cluster, and 2 are to be read"):
            callers(file, contexts=("a", "b"), cluster="mine")
        with pytest.raises(InputError, match="a colon parts the name"):
            callers(file, cluster="a:b")


@pytest.mark.parametrize(
    ("cluster", "scope"),
    [
        ("arn:aws:eks:eu-west-1:111122223333:cluster/shop", "eks_111122223333_eu-west-1_shop"),
        ("gke_shop-prod_europe-west1_main", "gke_shop-prod_europe-west1_main"),
        ("prod:8443", "prod_8443"),
    ],
)
def test_a_name_holds_no_colon(tmp_path: Path, cluster: str, scope: str) -> None:
    with serving(shop()) as address:
        assert callers(kubeconfig(tmp_path / "config", a={"server": address, "cluster": cluster})) == [scope]


def test_a_token_logs_in(tmp_path: Path) -> None:
    with serving(guarded()) as address:
        assert callers(kubeconfig(tmp_path / "config", a={"server": address, "user": {"token": TOKEN}}))


def test_a_token_may_stand_in_a_file_beside_the_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.chdir("/")
    with serving(guarded()) as address:
        assert callers(kubeconfig(tmp_path / "config", a={"server": address, "user": {"tokenFile": "token"}}))


def test_a_context_without_a_user_asks_as_nobody(tmp_path: Path) -> None:
    cluster = shop()
    with serving(cluster) as address:
        assert callers(kubeconfig(tmp_path / "config", a={"server": address, "user": None}))
    assert not [asked for asked in cluster.asked if "Authorization" in asked.headers]


@pytest.mark.parametrize("version", ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"])
def test_a_plugin_logs_in_once_for_all_requests(tmp_path: Path, version: str) -> None:
    plugin(tmp_path, credential(TOKEN))
    user: Fields = {"exec": {"apiVersion": version, "command": "./plugin", "interactiveMode": "Never"}}
    with serving(guarded()) as address:
        assert callers(kubeconfig(tmp_path / "config", a={"server": address, "user": user}))
    (called,) = (tmp_path / "called").read_text().splitlines()
    told = json.loads(called)
    assert (told["apiVersion"], told["spec"]["interactive"]) == (version, False)
    assert told["spec"]["cluster"]["server"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("answer", "code", "problem"),
    [
        ("token expired", 1, "returned 1: token expired"),
        ("no json", 0, "cannot log in"),
        ('{"status": {}}', 0, "cannot log in"),
        (credential("wrong"), 0, "HTTP status 401"),
        (credential("with\nbreak"), 0, "the token holds signs that no header can hold"),
    ],
)
def test_a_plugin_that_fails_is_one_clear_line(tmp_path: Path, answer: str, code: int, problem: str) -> None:
    plugin(tmp_path, answer, code=code)
    user: Fields = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "./plugin"}}
    with serving(guarded()) as address, pytest.raises(CredentialsError) as raised:
        callers(kubeconfig(tmp_path / "config", a={"server": address, "user": user}))
    assert problem in str(raised.value)
    assert "break" not in str(raised.value)


def test_a_plugin_that_is_not_installed_is_named(tmp_path: Path) -> None:
    user: Fields = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "no-such-plugin"}}
    with serving(guarded()) as address, pytest.raises(CredentialsError, match=r"no-such-plugin.*not installed here"):
        callers(kubeconfig(tmp_path / "config", a={"server": address, "user": user}))


def test_an_auth_provider_is_refused_with_the_way_out(tmp_path: Path) -> None:
    user: Fields = {"auth-provider": {"name": "gcp"}}
    file = kubeconfig(tmp_path / "config", a={"server": "http://127.0.0.1:1", "user": user})
    with pytest.raises(CredentialsError, match=r"gave up in 1\.26"):
        callers(file)


def test_who_acts_as_another_says_so_in_every_request(tmp_path: Path) -> None:
    cluster = shop()
    user: Fields = {"token": TOKEN, "as": "viewer", "as-groups": ["auditors"]}
    with serving(cluster) as address:
        callers(kubeconfig(tmp_path / "config", a={"server": address, "user": user}))
    assert {asked.headers.get("Impersonate-User") for asked in cluster.asked} == {"viewer"}
    assert {asked.headers.get("Impersonate-Group") for asked in cluster.asked} == {"auditors"}


def test_a_certificate_that_is_trusted_does(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    with serving(shop(), path) as address:
        assert callers(
            kubeconfig(tmp_path / "config", a={"server": address, "about": {"certificate-authority": path.name}})
        )


def test_a_certificate_that_nobody_trusts_is_told_at_once(tmp_path: Path) -> None:
    with serving(shop(), certificate(tmp_path)) as address, pytest.raises(CollectError) as raised:
        callers(kubeconfig(tmp_path / "config", a={"server": address}))
    assert f"the certificate of {address} is not trusted: " in str(raised.value)


def test_a_certificate_may_bear_another_name_where_the_kubeconfig_says_so(tmp_path: Path) -> None:
    path = certificate(tmp_path, "api.internal")
    about: Fields = {"certificate-authority": str(path)}
    with serving(shop(), path) as address:
        with pytest.raises(CollectError, match="is not trusted"):
            callers(kubeconfig(tmp_path / "config", a={"server": address, "about": about}))
        named: Entry = {"server": address, "about": {**about, "tls-server-name": "api.internal"}}
        assert callers(kubeconfig(tmp_path / "config", a=named))


def test_certificates_are_not_looked_at_where_the_kubeconfig_says_so(tmp_path: Path) -> None:
    with serving(shop(), certificate(tmp_path)) as address:
        assert callers(
            kubeconfig(tmp_path / "config", a={"server": address, "about": {"insecure-skip-tls-verify": True}})
        )


def test_a_proxy_of_the_kubeconfig_is_used(tmp_path: Path) -> None:
    proxy = shop()
    with serving(proxy) as address:
        assert callers(
            kubeconfig(tmp_path / "config", a={"server": "http://cluster.invalid", "about": {"proxy-url": address}})
        )
    assert proxy.asked


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"server": "127.0.0.1:6443"}, "is no address that begins with https:// or http://"),
        ({"server": "http://host:port"}, "cannot be used"),
        ({"server": "https://127.0.0.1:1", "about": {"certificate-authority": "missing.pem"}}, "cannot be used"),
        ({"server": "https://127.0.0.1:1", "about": {"certificate-authority-data": "!"}}, "is no base64"),
        ({"server": ""}, "names no server"),
        ({"server": 7}, "names no server"),
        ({"server": "http://127.0.0.1:1", "user": {"token": 7}}, "cannot be used"),
    ],
)
def test_entries_that_cannot_be_used_are_named(tmp_path: Path, entry: Entry, problem: str) -> None:
    with pytest.raises((ConfigError, CollectError)) as raised:
        callers(kubeconfig(tmp_path / "config", a=entry))
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: b: c\n", ", line 1 is no YAML"),
        ("[]", "must be a mapping"),
        ("", "sets no current context"),
        ("clusters: 7", "clusters must be a list"),
        ("contexts: [{name: a}, 7]", "contexts[1] must have a name and context"),
        ("current-context: x", "has no context 'x'; there are: no contexts at all"),
        ("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]", "names the cluster 'c', which is not"),
        (
            "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c}]",
            "names the user 'u', who is not there",
        ),
    ],
)
def test_a_kubeconfig_that_is_wrong_is_named_with_the_place(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        callers(file)
    assert str(raised.value).startswith(f"the kubeconfig {file}")
    assert problem in str(raised.value)


def test_a_context_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", a={"server": "http://x"}, b={"server": "http://x"})
    with pytest.raises(ConfigError, match="has no context 'c'; there are: a, b"):
        callers(file, contexts=("c",))


def test_files_of_the_environment_are_merged_the_first_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(shop()) as address:
        first = kubeconfig(tmp_path / "one", a={"server": address})
        second = kubeconfig(tmp_path / "two", a={"server": "http://127.0.0.1:1"}, b={"server": address})
        listed = os.pathsep.join((str(tmp_path / "missing"), str(first), str(second)))
        monkeypatch.setenv("KUBECONFIG", listed)
        assert callers(None, contexts=("a", "b")) == ["a-cluster", "b-cluster"]
        assert callers(None) == ["a-cluster"]


def test_the_file_at_home_is_read_where_nothing_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "home/.kube").mkdir(parents=True)
    with serving(shop()) as address:
        kubeconfig(tmp_path / "home/.kube/config", a={"server": address})
        assert callers(None) == ["a-cluster"]


def test_files_that_are_not_there_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="there is no kubeconfig"):
        callers(tmp_path / "missing")
    with pytest.raises(CollectError, match="no cluster around this process; name a file with --kubeconfig"):
        callers(None)
    with pytest.raises(ConfigError, match="--context prod: there is no kubeconfig"):
        callers(None, contexts=("prod",))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match="KUBECONFIG names"):
        callers(None)


def test_within_a_cluster_the_service_account_of_the_pod_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text(TOKEN)
    (account / "namespace").write_text("tools")
    path = certificate(tmp_path)
    (account / "ca.crt").write_bytes(path.read_bytes())
    monkeypatch.setattr(reading, "SERVICE_ACCOUNT", str(account))
    with serving(guarded(), path) as address:
        host, _, port = address.removeprefix("https://").partition(":")
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
        assert callers(None) == ["in-cluster"]
        assert callers(None, cluster="mine") == ["mine"]
