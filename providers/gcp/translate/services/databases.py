"""Databases and caches: Cloud SQL, AlloyDB and Memorystore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.gcp.translate.services.building import (
    Access,
    Asset,
    admitted,
    closed,
    network_of,
    service,
    shown,
)

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_caches", "add_databases"]

_SQL: Final = "services.cloudsql"
_ALLOY: Final = "services.alloydb"
_CACHES: Final = "services.memorystore"


class _Entry(msgspec.Struct, rename="camel"):
    value: str = ""
    cidr_range: str = ""


class _Psc(msgspec.Struct, rename="camel"):
    psc_enabled: bool | None = None


class _IpConfiguration(msgspec.Struct, rename="camel"):
    ipv4_enabled: bool | None = None
    authorized_networks: list[_Entry] | None = None
    private_network: str | None = None
    require_ssl: bool | None = None
    ssl_mode: str | None = None
    psc_config: _Psc | None = None


class _Settings(msgspec.Struct, rename="camel"):
    ip_configuration: _IpConfiguration | None = None
    user_labels: dict[str, object] | None = None


class _Instance(Asset, kw_only=True, rename="camel"):
    region: str = ""
    backend_type: str = ""
    settings: _Settings | None = None


class _NetworkConfig(msgspec.Struct, rename="camel"):
    enable_public_ip: bool | None = None
    authorized_external_networks: list[_Entry] | None = None


class _AlloyInstance(Asset, kw_only=True, rename="camel"):
    network_config: _NetworkConfig | None = None


class _PscConfig(msgspec.Struct):
    network: str | None = None


class _Cache(Asset, kw_only=True, rename="camel"):
    authorized_network: str | None = None
    psc_configs: list[_PscConfig] | None = None
    location_id: str | None = None
    connect_mode: str | None = None


def add_databases(answers: Answers, draft: Draft) -> None:
    """Add the instances of Cloud SQL and AlloyDB.

    Whoever comes to the public address of an instance is admitted by its authorized networks; without any, connectors
    alone come in, whom IAM admits. Sources: https://cloud.google.com/sql/docs/mysql/authorize-networks,
    https://cloud.google.com/sql/docs/mysql/configure-ip and https://cloud.google.com/alloydb/docs/connect-public-ip
    """
    what = "sqladmin.instances"
    for wire in answers.listed("sqladmin", "instances", _Instance, _SQL):
        given = wire.settings or _Settings()
        own = given.ip_configuration
        if own is None or own.ipv4_enabled is None:
            access = Access(public=None, reason="ipv4Enabled is not told")
        elif not own.ipv4_enabled:
            access = closed("ipv4Enabled is false")
        else:
            texts = [entry.value for entry in own.authorized_networks or ()]
            access = admitted(answers, what, wire.own("sqladmin"), texts, _SQL, words="authorizedNetworks")
        own = own or _IpConfiguration()
        found = service(
            answers, wire, "sqladmin", "cloudsql", "cloud-sql-instance", access, name=wire.name, place=wire.region,
            tags=given.user_labels or {}, network=network_of(draft, own.private_network, answers.scope),
            settings=shown(
                ipv4Enabled=own.ipv4_enabled, sslMode=own.ssl_mode, requireSsl=own.require_ssl,
                pscEnabled=None if own.psc_config is None else own.psc_config.psc_enabled,
            ),
        )  # fmt: skip
        draft.put(draft.services, found, answers.scope)
    for alloy in answers.listed("alloydb", "instances", _AlloyInstance, _ALLOY):
        config = alloy.network_config or _NetworkConfig()
        if config.enable_public_ip:
            texts = [entry.cidr_range for entry in config.authorized_external_networks or ()]
            words = "authorizedExternalNetworks"
            access = admitted(answers, "alloydb.instances", alloy.own("alloydb"), texts, _ALLOY, words=words)
        else:
            access = closed("enablePublicIp is not set")
        found = service(
            answers, alloy, "alloydb", "alloydb", "alloydb-instance", access,
            settings=shown(enablePublicIp=config.enable_public_ip),
        )  # fmt: skip
        draft.put(draft.services, found, answers.scope)


def add_caches(answers: Answers, draft: Draft) -> None:
    """Add the instances and clusters of Memorystore: they have addresses of a network alone.

    Sources: https://cloud.google.com/memorystore/docs/redis/networking and
    https://cloud.google.com/memorystore/docs/cluster/networking
    """
    for folder, operation, kind in (
        ("redis", "instances", "memorystore-redis"),
        ("redis", "clusters", "memorystore-cluster"),
        ("memcache", "instances", "memorystore-memcached"),
    ):
        for wire in answers.listed(folder, operation, _Cache, _CACHES):
            found = service(
                answers, wire, folder, "memorystore", kind, closed("it has addresses of its network alone"),
                network=network_of(draft, wire.authorized_network or _first(wire.psc_configs), answers.scope),
                place=wire.location_id or "", settings=shown(connectMode=wire.connect_mode),
            )  # fmt: skip
            draft.put(draft.services, found, answers.scope)


def _first(configs: list[_PscConfig] | None) -> str | None:
    return next((each.network for each in configs or () if each.network), None)
