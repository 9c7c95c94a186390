"""Resource Graph: resources of many types and subscriptions in one query.

Source: https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Final, cast

from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from cloudseg.providers.azure.calls import Pages
from cloudseg.providers.azure.clients import Clients
from cloudseg.providers.azure.failures import MalformedAnswerError
from cloudseg.providers.redaction import Json

__all__ = ["MOST_SUBSCRIPTIONS", "resources_of_types"]

MOST_SUBSCRIPTIONS: Final = 1000
"""Subscriptions that one query takes."""
_MOST_ROWS: Final = 1000
_OWN: Final = frozenset({"resourceGroup", "subscriptionId", "tenantId"})
"""Columns that Resource Graph adds; Resource Manager does not show them."""


def resources_of_types(
    clients: Clients, subscriptions: Sequence[str], types: Collection[str], wait: Callable[[], None]
) -> dict[tuple[str, str], list[Json]]:
    """Return the resources of some types by subscription and type, both in lower case.

    Resources that the caller may not read are left out by Azure, without a word.

    Args:
        clients: as whom, and where.
        subscriptions: ids of at most 1,000 subscriptions.
        types: resource types in lower case.
        wait: called before each request.

    Raises:
        AzureError, MalformedAnswerError: they could not be had in full.
    """
    named = ", ".join(f"'{each}'" for each in sorted(types))
    pages = Pages()
    options = clients.per_call(lambda _: wait(), pages.keep)
    client = clients.graph()
    token = None
    while True:
        request = QueryRequest(
            # Pages follow each other safely in a fixed order alone.
            query=f"resources | where type in~ ({named}) | order by id asc",
            subscriptions=list(subscriptions),
            options=QueryRequestOptions(result_format="objectArray", top=_MOST_ROWS, skip_token=token),
        )
        client.resources(request, **options)
        token = pages.more
        if not token:
            break
    if str(pages.page.get("resultTruncated")).lower() == "true":
        raise MalformedAnswerError("Resource Graph cut the result, and does not say where it goes on")
    found: defaultdict[tuple[str, str], list[Json]] = defaultdict(list)
    for row in cast("list[Json]", pages.answer.get("data", [])):
        if isinstance(row, dict):
            found[str(row.get("subscriptionId")).lower(), str(row.get("type")).lower()].append(_resource(row))
    return dict(found)


def _resource(row: dict[str, Json]) -> dict[str, Json]:
    """Return a row as Resource Manager shows the resource: what it lacks is a null or an empty text in the row."""
    return {key: value for key, value in row.items() if key not in _OWN and value not in (None, "")}
