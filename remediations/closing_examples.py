"""Examples of public endpoints that are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.intent import Allowance, Intent
from cloudseg.remediations.interface import RemedyExample
from cloudseg.segments import Choice as Chosen
from cloudseg.segments import Segment
from cloudseg.traffic import AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Estate

__all__ = ["EXAMPLES"]


def _database(*, interfaces: bool) -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-public", ["sg-db"], "10.0.1.5", "203.0.113.10", workload=b.id("orders"))
    own = frozenset({b.id("eni-1")} if interfaces else ())
    network = b.id("vpc-1") if interfaces else None
    reason = "PubliclyAccessible is true"
    b.service("orders", "rds", anonymous=False, reason=reason, network=network, interfaces=own)
    return b.build()


def _inside() -> Estate:
    return _database(interfaces=True)


def _nowhere() -> Estate:
    return _database(interfaces=False)


def _bucket() -> Estate:
    b = EstateBuilder()
    b.service("exports", "s3", anonymous=True, reason="the bucket policy is public")
    return b.build()


def _cluster() -> Estate:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, anonymous=False)
    return b.build()


def _office() -> Intent:
    segments = (
        Segment(name="office", choice=Chosen(addresses=AddressSet.parse("203.0.113.0/28"))),
        Segment(name="shop", choice=Chosen(groups=("sg-shop",))),
    )
    allowed = Allowance(sources=("office",), targets=("shop",), traffic=Traffic.parse("tcp/443"))
    return Intent(segments=segments, allow=(allowed,))


def _vault() -> Estate:
    b = AzureBuilder()
    b.service("keyvault", "keys", anonymous=False)
    b.endpoint("pe-1", arm("keyvault", "keys"))
    return b.build()


def _gcp_database() -> Estate:
    b = GcpBuilder()
    b.service("cloudsql", "sqladmin/instances/orders", anonymous=False, reason="authorizedNetworks: 0.0.0.0/0")
    return b.build()


def _gcp_bucket() -> Estate:
    b = GcpBuilder()
    b.service("gcs", "storage/buckets/exports", anonymous=True, reason="allUsers has roles/storage.objectViewer")
    return b.build()


EXAMPLES: Final[tuple[RemedyExample, ...]] = (
    RemedyExample(
        name="a public database with interfaces in a network",
        build=_inside,
        check="public-endpoint",
        changes=("close public access of orders",),
    ),
    RemedyExample(
        name="a bucket that answers strangers",
        build=_bucket,
        check="public-endpoint",
        changes=("close public access of exports",),
    ),
    RemedyExample(
        name="the API server of a cluster, and an intent that names the office",
        build=_cluster,
        check="public-control-plane",
        changes=("limit public access of shop to 203.0.113.0/28",),
        intent=_office,
    ),
    RemedyExample(
        name="a key vault to which a private endpoint leads",
        build=_vault,
        check="public-endpoint",
        changes=("close public access of keys (rg)",),
    ),
    RemedyExample(
        name="a bucket of Google Cloud that everybody may read",
        build=_gcp_bucket,
        check="public-endpoint",
        changes=("close public access of storage/buckets/exports",),
    ),
    RemedyExample(
        name="a database of which no interface was read, and no private endpoint",
        build=_nowhere,
        check="public-endpoint",
        advice="no private way leads to",
    ),
    RemedyExample(
        name="a Cloud SQL instance that is reached at its public address alone",
        build=_gcp_database,
        check="public-endpoint",
        advice="no private way leads to",
    ),
)
