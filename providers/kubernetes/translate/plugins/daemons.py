"""Daemons of a cluster: what runs on every node, as far as it tells which network plugin that is.

Nothing here fails: what is not where it should be is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Container", "Counts", "Daemon", "daemons", "is_running", "marks_of", "on_windows", "owning_set", "truth"]

_OS_LABELS: Final = ("kubernetes.io/os", "beta.kubernetes.io/os")
_TRUE: Final = frozenset(("1", "t", "true"))
_FALSE: Final = frozenset(("0", "f", "false"))


class Container(NamedTuple):
    """One container of a daemon.

    Attributes:
        name: its name.
        image: where its image comes from, without registry, tag and digest: ``calico/node``.
        tag: the tag of the image; empty where it has none.
        arguments: command and arguments.
        environment: the variables that are set, with None for one whose value comes from elsewhere.
        elsewhere: others may be set by config maps that are not read (``envFrom``).
    """

    name: str
    image: str
    tag: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str | None]
    elsewhere: bool = False

    def variable(self, name: str) -> str | None:
        """Return what a variable is set to, no text for one that is not set; None where that is not known.

        What a container sets itself goes before what ``envFrom`` sets. Source:
        https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables
        """
        return self.environment.get(name, None if self.elsewhere else "")

    def flag(self, name: str) -> str | None:
        """Return what a flag is set to, ``true`` for one without a value; None for one that is not set."""
        found: str | None = None
        following = (*self.arguments[1:], "") if self.arguments else ()
        for argument, after in zip(self.arguments, following, strict=True):
            own, equals, value = argument.lstrip("-").partition("=")
            if argument.startswith("-") and own == name:
                found = value if equals else after if after and not after.startswith("-") else "true"
        return found


class Counts(NamedTuple):
    """Nodes of a daemon, as the status of its DaemonSet counts them.

    Attributes:
        desired: on which it should run.
        ready: on which it is ready.
    """

    desired: int
    ready: int


class Daemon(NamedTuple):
    """A daemon that runs on nodes.

    Attributes:
        name: the name of its DaemonSet.
        containers: its containers, without those that only prepare the pod.
        windows: it runs on nodes with Windows.
        words: what it is and where it is written, for people.
        place: its namespace.
        counts: its nodes; None where its status was not read.
        spec: that of the pods which its DaemonSet makes; None where only such a pod was read.
    """

    name: str
    containers: tuple[Container, ...]
    windows: bool
    words: str
    place: str = ""
    counts: Counts | None = None
    spec: Mapping[str, object] | None = None


def daemons(objects: Iterable[Object]) -> Iterator[Daemon]:
    """Yield the daemons of a cluster; those that run on no node are none.

    Where a DaemonSet was not read its pods tell the same.
    """
    sets = [item for item in objects if item.kind == "DaemonSet" and item.group in {"apps", "extensions"}]
    known = {(item.place, item.name) for item in sets}
    for item in sets:
        if item.part("status").get("desiredNumberScheduled") != 0 or not is_running(item):
            template = fields_of(item.part("spec").get("template"))
            spec = fields_of(template.get("spec"))
            yield _daemon(item, item.name, spec)._replace(spec=spec)
    for item in objects:
        owner = owning_set(item)
        if owner and (item.place, owner) not in known:
            known.add((item.place, owner))
            yield _daemon(item, owner, item.part("spec"))


def is_running(item: Object) -> bool:
    """Tell whether an object was read from a cluster that runs, since only that gives it an id."""
    return bool(item.part("metadata").get("uid")) or bool(item.part("status"))


def on_windows(spec: Mapping[str, object]) -> bool:
    """Tell whether pods only run on nodes with Windows, by their ``spec``.

    Source: https://kubernetes.io/docs/concepts/windows/user-guide/#ensuring-os-specific-workloads-land-on-the-appropriate-container-host
    """
    chosen = fields_of(spec.get("nodeSelector"))
    return fields_of(spec.get("os")).get("name") == "windows" or any(chosen.get(key) == "windows" for key in _OS_LABELS)


def truth(text: str | None, *, default: bool | None = None) -> bool | None:
    """Return what a switch is set to: the default where it is not set, None where its text says neither."""
    if text is None:
        return default
    word = text.lower()
    return True if word in _TRUE else False if word in _FALSE else None


def marks_of(item: Object) -> dict[str, object]:
    """Return the labels and annotations of an object, by their keys."""
    metadata = item.part("metadata")
    return {**fields_of(metadata.get("labels")), **fields_of(metadata.get("annotations"))}


def owning_set(item: Object) -> str:
    """Return the name of the DaemonSet that made a pod; empty for anything else."""
    if item.kind != "Pod" or item.group:
        return ""
    owners = item.part("metadata").get("ownerReferences")
    for owner in cast("list[object]", owners) if isinstance(owners, list) else ():
        fields = fields_of(owner)
        if fields.get("kind") == "DaemonSet" and fields.get("controller"):
            return _text(fields.get("name"))
    return ""


def _daemon(item: Object, name: str, spec: Mapping[str, object]) -> Daemon:
    given = spec.get("containers")
    containers = tuple(_container(fields_of(each)) for each in (_items(given)))
    place = f" ({item.where.removesuffix(': ')})" if item.where else ""
    words = f"DaemonSet {item.place}/{name}{place}"
    return Daemon(name, containers, on_windows(spec), words, item.place, _counts(item))


def _counts(item: Object) -> Counts | None:
    """Return the nodes of a DaemonSet; of a pod that stands for one, which tells of no other, None."""
    status = item.part("status")
    desired, ready = status.get("desiredNumberScheduled"), status.get("numberReady")
    return Counts(desired, ready) if type(desired) is int and type(ready) is int else None


def _container(fields: Mapping[str, object]) -> Container:
    environment: dict[str, str | None] = {}
    for each in _items(fields.get("env")):
        variable = fields_of(each)
        value = variable.get("value", None if "valueFrom" in variable else "")
        environment[_text(variable.get("name"))] = None if value is None else _text(value)
    image, _, _ = _text(fields.get("image")).partition("@")
    path, slash, last = image.rpartition("/")
    last, _, tag = last.partition(":")
    host, _, rest = path.partition("/")
    path = rest if slash and ("." in host or ":" in host or host == "localhost") else path
    arguments = (*_items(fields.get("command")), *_items(fields.get("args")))
    return Container(
        _text(fields.get("name")),
        f"{path}/{last}" if path else last,
        tag,
        tuple(each for each in arguments if isinstance(each, str)),
        environment,
        elsewhere=bool(fields.get("envFrom")),
    )


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
