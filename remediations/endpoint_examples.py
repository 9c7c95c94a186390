"""Examples of private endpoints that are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_azure_services import bare_vault
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.remediations.interface import RemedyExample
from cloudseg.remediations.naming import name_for

if TYPE_CHECKING:
    from cloudseg.model import Estate

__all__ = ["EXAMPLES"]


def _storage() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "tcp/443", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-app"])
    b.endpoint("vpce-ddb", "dynamodb", route_tables=frozenset({b.id("rtb-private")}))
    return b.build()


def _half_associated() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1")
    b.endpoint("vpce-s3", "s3", route_tables=frozenset({b.id("rtb-public")}))
    b.endpoint("vpce-ddb", "dynamodb", route_tables=frozenset({b.id("rtb-private")}))
    return b.build()


def _vault_beside_another() -> Estate:
    b = AzureBuilder()
    b.service("keyvault", "keys", anonymous=False, connections=())
    b.endpoint("pe-sql", arm("sql", "orders"))
    return b.build()


def _gcp_database() -> Estate:
    b = GcpBuilder()
    b.service("cloudsql", "sqladmin/instances/orders", anonymous=False, connections=())
    return b.build()


EXAMPLES: Final[tuple[RemedyExample, ...]] = (
    RemedyExample(
        name="a private subnet reaches object storage through a NAT gateway",
        build=_storage,
        check="missing-private-endpoint",
        changes=(f"add endpoint {name_for(EstateBuilder.id('vpc-1'), 's3')} to com.amazonaws.eu-west-1.s3",),
    ),
    RemedyExample(
        name="a key vault without a private endpoint, and a subnet that holds those of others",
        build=_vault_beside_another,
        check="missing-private-endpoint",
        changes=(
            "add endpoint "
            + name_for(AzureBuilder.id(arm("keyvault", "keys")), f"{AzureBuilder().network}/subnets/data")
            + f" (rg) to {arm('keyvault', 'keys')}",
        ),
    ),
    RemedyExample(
        name="an endpoint is there, and not in the route table of the subnet",
        build=_half_associated,
        check="missing-private-endpoint",
        advice="is there for s3, and not for all subnets",
    ),
    RemedyExample(
        name="a key vault, and no subnet that holds private endpoints",
        build=bare_vault,
        check="missing-private-endpoint",
        advice="which network uses keys",
    ),
    RemedyExample(
        name="a Cloud SQL instance for which no endpoint can be made yet",
        build=_gcp_database,
        check="missing-private-endpoint",
        advice="does not take private endpoints",
    ),
)
