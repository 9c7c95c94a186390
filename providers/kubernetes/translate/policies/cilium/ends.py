"""The other ends of Cilium's rules.

One rule names ends in one way: endpoints, addresses, entities, nodes, services, names, or groups of a cloud. Naming no
ends it is about anyone on its ports, and about nobody without ports; an empty list of ends is nobody. Addresses never
mean pods, and nodes as little. Source: https://docs.cilium.io/en/stable/security/policy/layer3/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, Everyone, Labelled, Names, Unresolved
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, in_namespace, requirements, words
from cloudseg.providers.kubernetes.translate.objects import Object
from cloudseg.providers.kubernetes.translate.peers import Pods
from cloudseg.providers.kubernetes.translate.policies.cilium.book import fits
from cloudseg.providers.kubernetes.translate.policies.cilium.entities import entity_ends, node_peers
from cloudseg.providers.kubernetes.translate.policies.cilium.kinds import GROUP
from cloudseg.providers.kubernetes.translate.policies.cilium.selectors import plain, read_selector
from cloudseg.providers.kubernetes.translate.wire import LabelSelector
from cloudseg.traffic import NO_ADDRESSES, AddressSet, parse_cidr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Direction, Peer
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.cilium.book import Book, Service
    from cloudseg.providers.kubernetes.translate.policies.cilium.selectors import Chosen
    from cloudseg.providers.kubernetes.translate.policies.cilium.wire import (
        CidrRule,
        FqdnSelector,
        Section,
        ServiceItem,
    )

__all__ = ["End", "Scene", "chosen_ends", "note_unread", "read_ends"]

_UNREAD: Final = " (labels of the namespace not read)"
_EMPTY: Final = "an empty list of ends stands in the rule, and what it means beside others is not said"
_NODES: Final = "whether rules tell nodes apart by labels or addresses is a setting of Cilium's"
_EXCEPT: Final = "versions of Cilium differ in whether exceptions count beside a group of CIDRs"
_SERVICE: Final = "versions of Cilium differ in which namespace is meant where a service is named without one"


class End(NamedTuple):
    """Who stands at the other end.

    Attributes:
        name: which item of the rule that is; empty for a rule that names no ends.
        who: pods by requirements, or peers.
        exact: False where these may be more than the item names.
        about: why that is so, in words.
    """

    name: str
    who: Pods | tuple[Peer, ...]
    exact: bool = True
    about: str = ""

    def doubted(self, about: str) -> End:
        """Return the same ends, known at most, and why."""
        return self._replace(exact=False, about=about)


class Scene(NamedTuple):
    """Where a policy stands.

    Attributes:
        namespace: its namespace; None for a clusterwide one.
        draft: the cluster.
        book: what it may refer to.
    """

    namespace: str | None
    draft: Draft
    book: Book


def read_ends(section: Section, direction: Direction, scene: Scene) -> tuple[End, ...]:
    """Return the ends that a rule names; none for nobody.

    Raises:
        ParseError: the API server or Cilium would refuse it.
    """
    word = "from" if direction == "ingress" else "to"
    lists: dict[str, list[LabelSelector] | list[str] | list[CidrRule] | None] = {
        f"{word}Endpoints": section.endpoints,
        f"{word}Nodes": section.nodes,
        f"{word}Entities": section.entities,
        f"{word}CIDR": section.cidr,
        f"{word}CIDRSet": section.cidr_set,
    }
    rest = {f"{word}Groups": section.groups, "toServices": section.services, "toFQDNs": section.fqdns}
    named = [name for name, items in (*lists.items(), *rest.items()) if items]
    if len(named) > 1:
        raise ParseError(f"{' and '.join(named)} stand beside each other in one rule: write two rules")
    ends = tuple(_ends(section, word, scene))
    if any(items == [] for items in lists.values()):
        # An empty list chooses nobody. Beside another one it should not stand, and which of them counts is not said.
        return tuple(end.doubted(_EMPTY) for end in ends)
    if named:
        return ends
    if not section.ports and not section.icmps:
        return ()
    unclear = section.requires is not None or any(items == [] for items in rest.values())
    anyone = End("", (Everyone(),))
    return (anyone.doubted(_EMPTY) if unclear else anyone,)


def _ends(section: Section, word: str, scene: Scene) -> Iterator[End]:
    for number, selector in enumerate(section.endpoints or ()):
        yield from _endpoints(selector, f"{word}Endpoints[{number}]", scene)
    for number, text in enumerate(section.cidr or ()):
        yield from _range(f"{word}CIDR[{number}]", AddressSet.parse(_checked(text)), scene)
    for number, item in enumerate(section.cidr_set or ()):
        yield from _cidrs(item, f"{word}CIDRSet[{number}]", scene)
    entities = section.entities or ()
    for number, (who, about) in entity_ends(entities, scene.draft, scene.book).items():
        yield End(f"{word}Entities[{number}]", who, not about, about)
    for number, selector in enumerate(section.nodes or ()):
        requirements(plain(selector), "pods")
        yield End(f"{word}Nodes[{number}]", node_peers(scene.draft, scene.book)).doubted(_NODES)
    for number, service in enumerate(section.services or ()):
        yield from _services(service, f"toServices[{number}]", scene)
    for number, group in enumerate(section.groups or ()):
        text = json.dumps(group, sort_keys=True)
        unknown = Unresolved(f"cloud group {text}", f"which addresses the cloud group {text} has was not read")
        yield End(f"{word}Groups[{number}]", (unknown,))
    for number, name in enumerate(section.fqdns or ()):
        yield End(f"toFQDNs[{number}]", (Names((_fqdn(name),)),))


def _endpoints(selector: LabelSelector, name: str, scene: Scene) -> Iterator[End]:
    chosen = read_selector(selector, scene.namespace, scene.draft)
    if chosen.reserved:
        yield _reserved(chosen, name, scene)
    elif any(":" in each.key for each in chosen.unclear):
        # Labels of other sources are no labels of pods: who bears them is not known.
        text = words(chosen.unclear)
        yield End(name, (Unresolved(f"endpoints with {text}", f"who bears the labels {text} is not known"),))
    else:
        yield from chosen_ends(chosen, name, scene.draft)


def chosen_ends(chosen: Chosen, name: str, draft: Draft) -> Iterator[End]:
    """Yield the pods that a selector chooses; those of namespaces whose labels were not read at most."""
    exact = not chosen.unclear
    about = f"who bears {words(chosen.unclear)} no manifest shows" if chosen.unclear else ""
    if not chosen.asks_labels_of_spaces or not (unlabelled := draft.unlabelled):
        yield End(name, Pods(chosen.text, chosen.required, exact), exact, about)
        return
    note_unread(unlabelled, draft)
    sure = (Labelled(NAMESPACE, "NotIn", unlabelled), *chosen.required)
    yield End(name, Pods(chosen.text, sure, exact), exact, about)
    named = tuple(each for each in chosen.spaces if each.key == NAMESPACE)
    maybe = (in_namespace(*unlabelled), *named, *chosen.pods)
    pods = Pods(f"{chosen.text}{_UNREAD}", maybe, exact=False)
    yield End(f"{name}.unread-namespaces", pods).doubted("the labels of their namespaces were not read")


def _reserved(chosen: Chosen, name: str, scene: Scene) -> End:
    """Return whom a selector of reserved labels chooses: an entity, where that is all it asks for."""
    only = chosen.reserved[0]
    # A selector of reserved labels is not limited to the namespace of the policy.
    own = (in_namespace(scene.namespace),) if scene.namespace is not None else ()
    alone = len(chosen.reserved) == 1 and not chosen.pods and not chosen.unclear and chosen.spaces in {(), own}
    if alone and (only.operator == "Exists" or (only.operator == "In" and only.values == frozenset(("",)))):
        try:
            found = entity_ends((only.key,), scene.draft, scene.book)
        except ParseError:
            found = {}
        if found:
            who, about = found[0]
            return End(name, who, not about, about)
        if only.key in {"none", "health"}:
            return End(name, ())
    text = words((*chosen.reserved, *chosen.required, *chosen.unclear))
    unknown = Unresolved(f"endpoints with {text}", f"who bears the reserved labels {text} is not known")
    if only.operator in {"NotIn", "DoesNotExist"}:
        return End(name, (Everyone(),)).doubted(unknown.reason)
    return End(name, (unknown,))


def _cidrs(item: CidrRule, name: str, scene: Scene) -> Iterator[End]:
    ways = [each for each in (item.cidr, item.cidr_group_ref, item.cidr_group_selector) if each]
    if len(ways) != 1:
        raise ParseError(f"{name} names {len(ways)} of cidr, cidrGroupRef and cidrGroupSelector, and one is needed")
    without = AddressSet.from_cidrs(map(_checked, item.without or ()))
    if item.cidr:
        whole = parse_cidr(_checked(item.cidr))
        for text in item.without or ():
            version, first, last = parse_cidr(_checked(text))
            if version != whole[0] or not (whole[1] <= first and last <= whole[2]):
                raise ParseError(f"except {text!r} is no part of {item.cidr!r}")
        yield from _range(name, AddressSet.parse(item.cidr) - without, scene)
        return
    draft, groups = scene.draft, scene.book.groups
    if item.cidr_group_ref:
        asked = [groups.get(item.cidr_group_ref)]
        if asked == [None]:
            missing = Object(GROUP, "CiliumCIDRGroup", "", item.cidr_group_ref, {}, None)
            draft.ledger.gap(missing, "unread", "policies name this group, and it was not read", "groups")
    else:
        selector = plain(item.cidr_group_selector or LabelSelector())
        requirements(selector, "pods")
        asked = [each for each in groups.values() if each.addresses is None or fits(selector, each.labels)]
        if not asked:
            draft.ledger.notes.append(f"cluster {draft.cluster}: {name} of a policy chooses no group of CIDRs")
    for each in asked:
        known = None if each is None else each.addresses
        if each is None or known is None:
            own = item.cidr_group_ref or ("" if each is None else each.name)
            unknown = Unresolved(f"CIDR group {own}", f"the addresses of CIDR group {own} were not read")
            yield End(name, (unknown,))
            continue
        own = f"{name}.{each.name}" if item.cidr_group_selector is not None else name
        yield from _range(own, known - without, scene)
        if known.overlaps(without):
            yield End(f"{own}.except", (Addresses(known & without),)).doubted(_EXCEPT)


def _range(name: str, addresses: AddressSet, scene: Scene) -> Iterator[End]:
    """Yield whoever bears addresses and is no node; nodes at most, since it is a setting whether ranges mean them."""
    nodes = addresses & (scene.book.nodes or NO_ADDRESSES)
    yield End(name, (Addresses(addresses - nodes),))
    if nodes:
        yield End(f"{name}.nodes", (Addresses(nodes),)).doubted(_NODES)


def _services(item: ServiceItem, name: str, scene: Scene) -> Iterator[End]:
    one, many = item.k8s_service, item.k8s_service_selector
    if (one is None) == (many is None):
        raise ParseError(f"{name} names one of k8sService and k8sServiceSelector")
    if many is not None:
        requirements(selector := plain(many.selector), "pods")
        space = many.namespace
        found = [
            each for each in scene.book.services if fits(selector, each.labels) and space in {None, "", each.namespace}
        ]
        text = f"services {json.dumps([selector.match_labels or {}, space or ''], sort_keys=True)}"
    else:
        own = "" if one is None else one.service_name or ""
        space = (None if one is None else one.namespace) or scene.namespace
        found = [each for each in scene.book.services if (each.name, each.namespace) == (own, space)]
        text = f"service {space or 'of an unknown namespace'}/{own}"
    if not found:
        scene.draft.ledger.notes.append(f"cluster {scene.draft.cluster}: policies name {text}, which was not read")
    sure = many is not None or (one is not None and bool(one.namespace))
    for each in found:
        for end in _service(each, f"{name}.{each.namespace}/{each.name}", scene):
            yield end if sure else end.doubted(_SERVICE)
    if not found or (many is not None and not scene.book.complete):
        yield End(name, (Unresolved(text, f"who stands behind {text} was not read"),))


def _service(service: Service, name: str, scene: Scene) -> Iterator[End]:
    text = f"service {service.namespace}/{service.name}"
    if service.selector is None:
        yield End(name, (Unresolved(text, f"which addresses stand behind {text} was not read"),))
        return
    yield from chosen_ends(read_selector(service.selector, service.namespace, scene.draft), name, scene.draft)


def _fqdn(item: FqdnSelector) -> str:
    if bool(item.match_name) == bool(item.match_pattern):
        raise ParseError("an item of toFQDNs names one of matchName and matchPattern")
    return item.match_name or item.match_pattern or ""


def _checked(text: str) -> str:
    parse_cidr(text)
    return text


def note_unread(spaces: Iterable[str], draft: Draft) -> None:
    """Note the namespaces whose labels a policy asks for, and that were not read."""
    for space in spaces:
        detail = "policies ask for labels of this namespace, and the namespace itself was not read"
        draft.ledger.gap(Object("", "Namespace", space, space, {}, None), "unread", detail, "groups")
