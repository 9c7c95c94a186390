"""One question to Google Cloud, answered in full: every page, as the JSON that came, without paging keys."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, Protocol, cast

import msgspec

from cloudseg.json_text import decoded
from cloudseg.providers.gcp.clients import Clients, Patience
from cloudseg.providers.gcp.failures import MalformedAnswerError
from cloudseg.providers.gcp.operations import Answered, Method, Operation
from cloudseg.providers.gcp.secrets import without_secrets
from cloudseg.providers.gcp.subjects import Resource, Subject
from cloudseg.providers.redaction import Json

__all__ = ["Missed", "Pages", "ask", "pages_of"]

_HARMLESS: Final = frozenset(
    ("DEPRECATED_RESOURCE_USED", "DEPRECATED_TYPE_USED", "EXPERIMENTAL_TYPE_USED", "NO_RESULTS_ON_PAGE")
)
"""Warnings that leave nothing out. Source:
https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList"""
_BARE: Final = frozenset(("nextPageToken", "readTime"))
_PARTS: Final = {"returnPartialSuccess": "true"}
"""A zone out of reach is then named, and does not spoil the list of all others. Source:
https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList#query-parameters"""
_REQUEST_TIME: Final = 600.0
"""Seconds that the SDK is told; what counts are the timeouts of the session."""


class Missed(NamedTuple):
    """A zone or region of which a list holds nothing: ``zones/us-central1-a``, empty for the list as a whole."""

    location: str
    detail: str


class _Pager(Protocol):
    @property
    def pages(self) -> Iterable[object]: ...


class Pages:
    """The pages of one answer, merged as they come; ``keep`` is told the body of each."""

    def __init__(self, answered: Answered, key: str = "items") -> None:
        self.items: list[Resource] = []
        self.missed: dict[str, str] = {}
        self.answered = answered
        self._key = key
        self._seen: set[str] = set()

    def keep(self, body: bytes) -> bytes:
        """Add a page, and return how the SDK finds the next one.

        Raises:
            MalformedAnswerError: it is none, or the service keeps handing out the same page.
        """
        page = _object(body)
        if self.answered == "single":
            # A project without a host project, for one, has an empty answer.
            self.items = [page] if page.keys() - {"kind"} else []
            return b"{}"
        self._add(page)
        more = page.get("nextPageToken")
        if not isinstance(more, str) or not more:
            return b"{}"
        if more in self._seen:
            raise MalformedAnswerError("the service keeps handing out the same page")
        self._seen.add(more)
        return msgspec.json.encode({"nextPageToken": more})

    def _add(self, page: Resource) -> None:
        held = page.get(self._key)
        # An empty list is left out. What Compute answers is of a kind all the same, and an inventory's page is bare.
        if self._key not in page and not ("kind" in page if self._key == "items" else page.keys() <= _BARE):
            raise MalformedAnswerError(f"the answer holds no {self._key}: {', '.join(sorted(page)[:5])}")
        self._warned("", page.get("warning"))
        for location in _list(page.get("unreachables")):
            self.missed.setdefault(_place_of(str(location)), "the service could not reach it")
        if isinstance(held, dict) and self.answered == "aggregated":
            for place, scope in held.items():
                self._add_scope(place, scope)
        elif isinstance(held, list):
            self._extend(held)
        elif held is not None:
            raise MalformedAnswerError(f"{self._key} is {type(held).__name__}, not a list")

    def _add_scope(self, place: str, scope: Json) -> None:
        if not isinstance(scope, dict):
            raise MalformedAnswerError(f"{place} is {type(scope).__name__}, not what it holds")
        self._warned(place, scope.get("warning"))
        for key, value in scope.items():
            if key != "warning" and isinstance(value, list):
                self._extend(value)

    def _extend(self, items: list[Json]) -> None:
        found = [item for item in items if isinstance(item, dict)]
        if len(found) < len(items):
            raise MalformedAnswerError(f"{len(items) - len(found)} of {len(items)} resources are no JSON objects")
        self.items += found

    def _warned(self, place: str, warning: Json) -> None:
        code = warning.get("code") if isinstance(warning, dict) else None
        if isinstance(warning, dict) and isinstance(code, str) and code not in _HARMLESS:
            self.missed[_place_of(place)] = f"{code}: {warning.get('message') or 'no reason is told'}"


def _object(body: bytes) -> Resource:
    try:
        page = decoded(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedAnswerError(f"the answer is no JSON ({error})") from error
    if not isinstance(page, dict):
        raise MalformedAnswerError("the answer is no JSON object: something else than Google Cloud may have answered")
    return cast("Resource", page)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _place_of(place: str) -> str:
    """Return ``zones/us-central1-a`` out of whatever link to it."""
    return "/".join(place.strip("/").split("/")[-2:])


def pages_of(
    clients: Clients,
    method: Callable[..., object],
    request: Mapping[str, Json],
    pages: Pages,
    wait: Callable[[], None],
) -> None:
    """Have the SDK read every page of an answer.

    Args:
        clients: as whom, and where.
        method: of one of the clients.
        request: the fields of the request.
        pages: takes the pages.
        wait: called before each request.

    Raises:
        one of ``FAILURES``: it could not be had in full.
    """
    patience = Patience(clients.options)

    def keep(body: bytes) -> bytes:
        patience.answered()
        return pages.keep(body)

    with clients.watching(wait, keep, _PARTS if pages.answered == "aggregated" else {}):
        result = method(request=dict(request), retry=patience.retry(), timeout=_REQUEST_TIME)
        if pages.answered != "single":
            for _ in cast("_Pager", result).pages:
                pass


def ask(
    clients: Clients, project: str, operation: Operation, subject: Subject | None, wait: Callable[[], None]
) -> tuple[list[Resource], list[Missed]]:
    """Return the answer to a question about a project, or about one of its resources, and what is missing in it.

    Args:
        clients: as whom, and where.
        project: the project's id.
        operation: the question.
        subject: what it is about.
        wait: called before each request.

    Raises:
        one of ``FAILURES``: it could not be had in full.
    """
    asked = operation.asked
    if not isinstance(asked, Method):
        raise TypeError(f"{operation.service}.{operation.name} is a question to the asset inventory")
    request: dict[str, Json] = {"project": project, **(subject.fields if subject is not None else {})}
    client = clients.compute(f"{subject.prefix if subject is not None else ''}{asked.client}")
    pages = Pages(asked.answered)
    method = cast("Callable[..., object]", getattr(client, asked.method))
    pages_of(clients, method, request, pages, wait)
    keys = frozenset(operation.redact)
    items = [cast("Resource", without_secrets(item, keys)) for item in pages.items] if keys else pages.items
    return items, [Missed(place, detail) for place, detail in sorted(pages.missed.items())]
