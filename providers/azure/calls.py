"""One question to Resource Manager, answered in full: every page, as the JSON that came, without paging keys."""

import re
from collections.abc import Callable, MutableMapping
from operator import attrgetter
from typing import cast
from urllib.parse import quote

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.paging import ItemPaged
from azure.core.pipeline.policies import ContentDecodePolicy
from azure.core.rest import HttpRequest
from azure.mgmt.core.exceptions import ARMErrorFormat
from azure.mgmt.network import NetworkManagementClient

from cloudseg.providers.azure.clients import Clients, Response
from cloudseg.providers.azure.failures import VERSIONS, MalformedAnswerError, error_code, error_message
from cloudseg.providers.azure.operations import Get, Method, Operation
from cloudseg.providers.redaction import Json, without_keys

__all__ = ["Answer", "Pages", "ask", "list_at"]

Answer = dict[str, Json]

_LISTS = ("value", "values", "data")
_LINKS = ("nextLink", "skipToken", "$skipToken")
_PAGING = frozenset((*_LINKS, "count", "facets", "resultTruncated", "totalRecords"))
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?:-[\w.]+)?")


class Pages:
    """The pages of one answer, merged as they come; ``keep`` is the hook that the SDK calls with each."""

    def __init__(self, *, single: bool = False) -> None:
        self.answer: Answer = {}
        self.more = ""
        self.page: Answer = {}
        self._single = single
        self._seen: set[str] = set()

    def keep(self, response: Response) -> None:
        """Add a page.

        Raises:
            MalformedAnswerError: it holds no list, or the service keeps handing out the same page.
        """
        if response.http_response.status_code >= 300:
            return
        page = cast("object", response.context.get(ContentDecodePolicy.CONTEXT_NAME))
        if not isinstance(page, dict):
            raise MalformedAnswerError("the answer is no JSON object: something else than Azure may have answered")
        self.page = cast("Answer", page)
        if self._single:
            self.answer = {"value": [self.page]}
            return
        self._add(self.page)
        links = [link for key in _LINKS if isinstance(link := self.page.get(key), str) and link]
        self.more = links[0] if links else ""
        if self.more in self._seen:
            raise MalformedAnswerError("the service keeps handing out the same page")
        if self.more:
            self._seen.add(self.more)

    def _add(self, page: Answer) -> None:
        key = next((key for key in _LISTS if isinstance(page.get(key), list)), None)
        # An empty list may be written as none.
        empty = "value" in page and page["value"] is None
        items = cast("list[Json]", page[key]) if key is not None else []
        if key is None and not empty:
            raise MalformedAnswerError(f"the answer holds no list: {', '.join(sorted(page)[:5])}")
        known = self.answer.get(key or "value")
        if isinstance(known, list):
            known.extend(items)
            return
        kept = {name: value for name, value in page.items() if name not in _PAGING}
        self.answer = {**kept, key or "value": list(items)}


def ask(
    clients: Clients, subscription: str, operation: Operation, resource: str | None, wait: Callable[[], None]
) -> Answer:
    """Return the answer to a question about a subscription, or about one of its resources.

    A cloud that does not have the version of the API that the SDK knows is asked in the newest one that it names.

    Args:
        clients: as whom, and where.
        subscription: the subscription's id.
        operation: the question.
        resource: the ARM id, or the location, that it is about.
        wait: called before each request.

    Raises:
        AzureError, MalformedAnswerError: it could not be had in full.
    """
    try:
        answer = _asked(clients, subscription, operation, resource, wait, None)
    except HttpResponseError as error:
        version = _served_version(error)
        if version is None:
            raise
        answer = _asked(clients, subscription, operation, resource, wait, version)
    return without_keys(answer, frozenset(operation.redact)) if operation.redact else answer


def _asked(
    clients: Clients,
    subscription: str,
    operation: Operation,
    resource: str | None,
    wait: Callable[[], None],
    version: str | None,
) -> Answer:
    client = clients.network(subscription)
    asked = operation.asked
    if isinstance(asked, Get):
        pages = Pages(single=asked.single)
        path = f"{resource or ''}/{asked.path}"
        _follow(clients, client, _url(path, version or asked.api_version), pages, wait)
        return pages.answer
    if not isinstance(asked, Method):
        raise TypeError(f"{operation.service}.{operation.name} is a question to Resource Graph")
    pages = Pages()
    options = clients.per_call(lambda _: wait(), pages.keep)
    if version is not None:
        options["api_version"] = version
    method = cast("Callable[..., ItemPaged[object] | MutableMapping[str, object]]", attrgetter(asked.path)(client))
    names = _names(resource) if resource is not None else ()
    if operation.action.endswith("/action"):
        method(*names, {}, **options)
        while pages.more:
            method(*names, {"skipToken": pages.more}, **options)
        return pages.answer
    result = method(*names, **options)
    if isinstance(result, ItemPaged):
        for _ in result.by_page():
            pass
    elif pages.more:
        _follow(clients, client, pages.more, pages, wait)
    return pages.answer


def list_at(
    clients: Clients, subscription: str, path: str, api_version: str, wait: Callable[[], None] | None = None
) -> list[dict[str, Json]]:
    """Return the objects of the list at a path of Resource Manager.

    Raises:
        AzureError, MalformedAnswerError: it could not be had in full.
    """
    pages = Pages()
    _follow(clients, clients.network(subscription), _url(path, api_version), pages, wait or (lambda: None))
    items = pages.answer.get("value")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _url(path: str, api_version: str) -> str:
    return f"{quote(path, safe='/()')}?api-version={api_version}"


def _follow(
    clients: Clients, client: NetworkManagementClient, url: str, pages: Pages, wait: Callable[[], None]
) -> None:
    options = clients.per_call(lambda _: wait(), pages.keep)
    while url:
        # The client would take braces for names to fill in.
        request = HttpRequest(
            "GET", url.replace("{", "%7B").replace("}", "%7D"), headers={"Accept": "application/json"}
        )
        response = client.send_request(request, **options)
        if response.status_code >= 300:
            kind = ClientAuthenticationError if response.status_code == 401 else HttpResponseError
            raise kind(response=response, error_format=ARMErrorFormat)
        url = pages.more


def _names(resource: str) -> tuple[str, ...]:
    """Return what a method takes about a resource: resource group and names in its id; or the location.

    Raises:
        MalformedAnswerError: it is neither.
    """
    parts = resource.strip("/").split("/")
    if len(parts) == 1:
        return (resource,)
    if len(parts) < 8 or parts[2].lower() != "resourcegroups":
        raise MalformedAnswerError(f"{resource} is no id of a resource in a resource group")
    return (parts[3], *parts[7::2])


def _served_version(error: HttpResponseError) -> str | None:
    """Return the newest version of the API that an error names as served; none of them that are previews first."""
    if error_code(error) not in VERSIONS:
        return None
    versions: list[str] = _VERSION.findall(error_message(error).partition("supported")[2])
    released = [version for version in versions if len(version) == len("2026-01-31")]
    return max(released or versions, default=None)
