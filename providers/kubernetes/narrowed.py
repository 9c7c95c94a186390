"""Lists of users who may read single namespaces alone: asked for namespace by namespace, where all at once is denied.

Which namespaces there are the list of them tells; where that is denied as well, the namespace of the context counts, as
for kubectl, and of that one the object itself is asked for, since its labels decide what policies mean. Sources:
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding and
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#context
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

from cloudseg.providers.kubernetes.client import AnswerError
from cloudseg.providers.kubernetes.pages import read_list, read_object
from cloudseg.providers.kubernetes.places import Places
from cloudseg.text import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloudseg.providers.kubernetes.client import Client, Fields
    from cloudseg.providers.kubernetes.listed import Kind

__all__ = ["Narrowed", "namespaces_in"]

_SHOWN: Final = 5
_NAMESPACES: Final = ("", "namespaces")


def namespaces_in(answer: object) -> tuple[str, ...]:
    """Return the names in a list of namespaces, in order."""
    listed = cast("Fields", answer).get("items") if isinstance(answer, dict) else None
    items = cast("list[Fields]", listed) if isinstance(listed, list) else []
    metadata = [item.get("metadata") for item in items]
    names = {cast("Fields", each).get("name") for each in metadata if isinstance(each, dict)}
    return tuple(sorted(name for name in names if isinstance(name, str) and name))


class Narrowed:
    """The lists of one cluster that were denied, while they are asked for by namespace. Threads add to it.

    Args:
        client: whom to ask.
        denied: the kinds, each with the answer to the list of all namespaces.
        known: the namespaces that there are; None where that is not known.
        own: the namespace of the context.
        most: the number of lists, at most.
    """

    def __init__(
        self, client: Client, denied: dict[Kind, AnswerError], known: tuple[str, ...] | None, own: str, most: int
    ) -> None:
        self._client = client
        self._denied = denied
        self._known = known
        self._own = own
        self._in_namespaces = [kind for kind in denied if kind.namespaced and (kind.group, kind.plural) != _NAMESPACES]
        several = [own, *(name for name in known if name != own)] if known is not None and own in known else known
        chosen = [own] if several is None else list(several)
        self.asked = tuple(chosen[: max(1, most // max(1, len(self._in_namespaces)))])
        self._lists: dict[tuple[Kind, str], Fields] = {}
        self._errors: dict[tuple[Kind, str], AnswerError] = {}

    def calls(self, page: int, scope: str) -> Iterator[Callable[[], str]]:
        """Yield what to ask; each call returns what was asked, in words.

        Args:
            page: the number of objects in an answer.
            scope: the cluster, for the words.
        """
        for kind in self._denied:
            if (kind.group, kind.plural) == _NAMESPACES:
                yield partial(self._ask, kind, self._own, scope, partial(read_object, self._client, kind, self._own))
        for kind in self._in_namespaces:
            for name in self.asked:
                yield partial(self._ask, kind, name, scope, partial(read_list, self._client, kind, page, name))

    def _ask(self, kind: Kind, namespace: str, scope: str, ask: Callable[[], Fields]) -> str:
        try:
            self._lists[kind, namespace] = ask()
        except AnswerError as error:
            self._errors[kind, namespace] = error
        return f"{scope} {kind.plural} in {namespace}"

    def read(self) -> Iterator[tuple[Kind, Fields]]:
        """Yield what could be read of each kind, as one list; nothing of those that are denied everywhere."""
        for kind in self._denied:
            found = [answer for (own, _), answer in sorted(self._lists.items()) if own == kind]
            if found:
                items = [item for answer in found for item in cast("list[object]", answer["items"])]
                yield kind, {**found[0], "items": items}

    def missing(self) -> Iterator[tuple[Kind, Places | None, AnswerError]]:
        """Yield what could not be read: kind, in which namespaces, and why; None for all of them."""
        for kind, error in self._denied.items():
            read = tuple(sorted(name for own, name in self._lists if own == kind))
            if not read:
                yield kind, None, error
                continue
            if self._known is None:
                yield kind, Places(read, others=True), _only(read, error)
                continue
            lost = tuple(name for name in self._known if name not in read)
            if lost:
                why = next((self._errors[kind, name] for name in lost if (kind, name) in self._errors), error)
                yield kind, Places(lost), _only(read, why, len(self._known) - len(self.asked))


def _only(read: tuple[str, ...], error: AnswerError, unasked: int = 0) -> AnswerError:
    """Return an error that says of which namespaces alone a list was had, and of how many nobody asked."""
    more = f" and {len(read) - _SHOWN} more" if len(read) > _SHOWN else ""
    words = f"read in {amount(len(read), 'namespace')} alone ({', '.join(read[:_SHOWN])}{more})"
    rest = f"; {amount(unasked, 'namespace')} not asked for, since there are so many" if unasked else ""
    return AnswerError(error.reason, f"{words}{rest}; {error.detail}", error.status)
