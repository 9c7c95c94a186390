"""What the checks of meshes say of Linkerd."""

from typing import Any

import pytest

from cloudseg.checks import mesh_allows_all, missing_authorization_policy, permissive_mtls
from cloudseg.checks.interface import AuditContext, Check
from cloudseg.reach.internet import InternetView
from tests.kubernetes.test_linkerd import (
    DEFAULT,
    EVERYWHERE,
    FRONT,
    MESHED,
    ON_DB,
    ON_SHOP,
    TLS,
    authorize,
    for_servers,
    linkerd,
    server,
    shop,
)

EVERY_APP: dict[str, Any] = {"podSelector": {}}
PUBLIC = {"unauthenticated": True, "networks": EVERYWHERE}
ANY_IDENTITY = linkerd("MeshTLSAuthentication", "tls", identities=["*"])


def told(check: Check, *objects: Any, default: str = "") -> list[str]:
    annotations = MESHED | ({DEFAULT: default} if default else {})
    estate = shop(*objects, annotations=annotations).estate
    settings = {parameter.name: parameter.default for parameter in check.parameters}
    context = AuditContext(estate=estate, check=check, settings=settings, internet=InternetView(estate))
    return [finding.message for finding in check.run(context)]


@pytest.mark.parametrize(
    ("default", "objects", "found"),
    [
        ("", (), ["namespace shop: 3 of 3 workloads of the mesh accept plain text"]),
        ("cluster-unauthenticated", (), ["namespace shop: 3 of 3 workloads of the mesh accept plain text"]),
        ("all-authenticated", (), []),
        ("cluster-authenticated", (), []),
        ("deny", (), []),
        (
            "deny",
            (server(), for_servers("a", PUBLIC)),
            ["namespace shop: 1 of 3 workloads of the mesh accepts plain text"],
        ),
        ("", (server(**EVERY_APP), authorize("a", ON_DB, FRONT)), []),
        (
            "deny",
            (server(), authorize("a", ON_DB)),
            ["namespace shop: 1 of 3 workloads of the mesh accepts plain text"],
        ),
    ],
)
def test_plain_text_is_what_clients_without_an_identity_speak(default: str, objects: Any, found: list[str]) -> None:
    assert told(permissive_mtls.CHECK, *objects, default=default) == found


@pytest.mark.parametrize(
    ("default", "objects", "found"),
    [
        ("", (), ["namespace shop: 3 of 3 workloads of the mesh admit every client"]),
        ("", (server(),), ["namespace shop: 2 of 3 workloads of the mesh admit every client"]),
        ("deny", (), []),
        ("all-authenticated", (), []),
    ],
)
def test_a_server_or_a_default_says_whom_a_workload_admits(default: str, objects: Any, found: list[str]) -> None:
    assert told(missing_authorization_policy.CHECK, *objects, default=default) == found


@pytest.mark.parametrize(
    ("target", "required", "words"),
    [
        (ON_SHOP, (), "everyone"),
        (ON_SHOP, (TLS,), "every identity of the mesh"),
        (ON_SHOP, (FRONT,), ""),
        (ON_DB, (), ""),
    ],
)
def test_a_policy_for_every_server_may_admit_everybody(target: Any, required: Any, words: str) -> None:
    found = told(mesh_allows_all.CHECK, server(), ANY_IDENTITY, authorize("a", target, *required))
    assert found == ([f"shop/AuthorizationPolicy/a admits {words} to shop/db[Pod]"] if words else [])
