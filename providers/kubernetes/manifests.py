"""Reading manifests: files, folders and standard input become one snapshot of a cluster."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from cloudseg import __version__
from cloudseg.errors import InputError
from cloudseg.json_text import printable
from cloudseg.providers.kubernetes.documents import Broken, read_documents
from cloudseg.providers.kubernetes.files import STANDARD_INPUT, File, Skipped, files_of, read, utc
from cloudseg.providers.kubernetes.judged import JUDGED
from cloudseg.providers.kubernetes.kinds import SECRET, plural_of, qualified_kind
from cloudseg.providers.kubernetes.objects import Flaw, changes_of_kustomization, is_kustomization, objects_of
from cloudseg.providers.kubernetes.options import check_cluster
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot, SnapshotGap
from cloudseg.text import amount

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.documents import Document
    from cloudseg.providers.kubernetes.files import Source
    from cloudseg.providers.kubernetes.objects import Object
    from cloudseg.snapshot import Reason

__all__ = ["CLUSTER", "LOCATION", "PROVIDER", "read_manifests"]

PROVIDER: Final = "kubernetes"
CLUSTER: Final = "manifests"
"""The cluster of manifests that nobody named another one for."""
LOCATION: Final = "cloudseg.io/location"
"""The annotation that says where an object was read: ``<path>:<line>``."""

_REGION: Final = "global"
_SHOWN: Final = 5
_DEFAULT_NAMESPACE: Final = "default"

Key: TypeAlias = tuple[str, str, str, str]
"""API group, kind, namespace and name: whatever agrees in them is one object to a cluster."""


def read_manifests(sources: Sequence[Source] | Source, cluster: str = CLUSTER) -> Snapshot:
    """Return the objects of manifests as a snapshot: one part a kind, with a list object as an API server returns it.

    An object that was read from a file bears its place as an annotation. Secrets are counted, and never kept.

    Args:
        sources: files and folders of YAML or JSON, and open streams of text.
        cluster: the name of the cluster that the objects belong to.

    Raises:
        InputError: the name is none, or a source holds no Kubernetes object.
    """
    check_cluster(cluster)
    reading = _Reading(cluster)
    for source in sources if isinstance(sources, Sequence) else (sources,):
        reading.add(source)
    return reading.snapshot()


class _Reading:
    """What was read so far of all sources."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._objects: dict[Key, tuple[Object, str]] = {}
        self._gaps: dict[SnapshotGap, None] = {}
        self._notes: dict[str, None] = {}
        self._foreign: list[str] = []
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._times: list[float] = []
        self._empty: list[str] = []

    def add(self, source: Source) -> None:
        """Read one source.

        Raises:
            InputError: it holds neither an object nor anything that could have been one.
        """
        before = sum(self._kinds.values()), len(self._gaps), len(self._foreign)
        files = 0
        for file in files_of(source):
            if isinstance(file, Skipped):
                self._skip(file)
            else:
                files += 1
                self._read(file)
        if sum(self._kinds.values()) > before[0]:
            return
        label = printable(str(source)) if isinstance(source, Path) else STANDARD_INPUT
        if len(self._gaps) > before[1]:
            self._empty.append(label)
            return
        raise InputError(_nothing(label, files, self._foreign[before[2] :], folder=_is_folder(source)))

    def snapshot(self) -> Snapshot:
        """Return everything as a snapshot.

        Raises:
            InputError: no source holds an object.
        """
        if not self._kinds and self._empty:
            lines = [gap.detail for gap in list(self._gaps)[:_SHOWN]]
            more = [f"and {amount(len(self._gaps) - _SHOWN, 'more problem')}"] if len(self._gaps) > _SHOWN else []
            raise InputError(
                "\n".join([f"{', '.join(self._empty)}: no Kubernetes object could be read", *lines, *more])
            )
        parts = self._parts()
        manifest = Manifest(
            utc(self._times),
            f"cloudseg {__version__}",
            (ScopeRead(PROVIDER, self._cluster, (), ""),),
            tuple(self._gaps),
            tuple(sorted(part.path for part in parts)),
        )
        readers = {part: partial(_as_read, answer) for part, answer in parts.items()}
        return Snapshot(readers, manifest, manifest.taken_at, (*self._notes, *self._closing_notes()))

    def _read(self, file: File) -> None:
        found = read(file)
        if isinstance(found, Skipped):
            self._skip(found)
            return
        text, changed = found
        self._times.append(time.time() if changed is None else changed)
        unrendered = 0
        for document in read_documents(text):
            if not isinstance(document, Broken):
                self._take(document, file)
            elif document.foreign and file.found:
                self._foreign.append(f"{file.label}:{document.line}")
            else:
                unrendered += document.unrendered
                # Hardly a document of a template is YAML, so that one gap stands for all of the file.
                if not document.unrendered or unrendered == 1:
                    self._gap(f"{file.label}:{document.line}", document.problem)
        if unrendered > 1:
            self._notes[f"{file.label}: {unrendered} documents are templates that were not rendered"] = None

    def _take(self, document: Document, file: File) -> None:
        name = file.source.name if isinstance(file.source, Path) else ""
        if is_kustomization(document, name):
            self._kustomization(document, file)
            return
        for line, key in document.repeated:
            shown = key if len(key) <= 80 else f"{key[:80]}…"
            self._gap(f"{file.label}:{line}", f"the key {shown!r} stands twice in one mapping; the last one counts")
        for each in objects_of(document):
            place = f"{file.label}:{each.line}"
            if not isinstance(each, Flaw):
                self._keep(each, place, from_file=isinstance(file.source, Path))
            elif each.foreign and file.found:
                self._foreign.append(place)
            else:
                self._gap(place, each.problem)

    def _keep(self, each: Object, place: str, *, from_file: bool) -> None:
        if each.kind == SECRET:
            self._kinds[each.group, each.kind] += 1
            return
        key = (each.group, each.kind, each.namespace or _DEFAULT_NAMESPACE, each.name)
        earlier = self._objects.pop(key, None)
        if earlier is None:
            self._kinds[each.group, each.kind] += 1
        else:
            self._tell_duplicate(each, place, *earlier)
        self._objects[key] = each, place if from_file else ""

    def _tell_duplicate(self, each: Object, place: str, earlier: Object, before: str) -> None:
        called = f"{each.kind} {each.namespace}/{each.name}" if each.namespace else f"{each.kind} {each.name}"
        first = before or f"line {earlier.line}"
        if each.fields == earlier.fields:
            self._notes[f"{place}: {called} is also in {first}, alike"] = None
        elif (each.group, each.kind) not in JUDGED:
            self._notes[f"{place}: {called} is also in {first} and differs there; the last one counts"] = None
        else:
            self._gap(
                place, f"{called} is also in {first} and differs there; the last one counts, as when both are applied"
            )

    def _kustomization(self, document: Document, file: File) -> None:
        changes = changes_of_kustomization(document)
        place = f"{file.label}:{document.line}"
        if changes:
            problem = (
                f"this Kustomization is not carried out ({', '.join(changes[:_SHOWN])}); run `kustomize build` and pipe"
                " what comes out into `cloudseg audit -`"
            )
            self._gap(place, problem, "unsupported")
        else:
            self._notes[f"{place}: a Kustomization that changes nothing"] = None

    def _skip(self, skipped: Skipped) -> None:
        if skipped.reason is None:
            self._notes[f"{skipped.label}: {skipped.problem}"] = None
        else:
            self._gap(skipped.label, skipped.problem, skipped.reason)

    def _gap(self, place: str, problem: str, reason: Reason = "malformed") -> None:
        # A gap without a resource would count as filled wherever another snapshot holds the part.
        detail = f"{place}: {problem}"
        gap = SnapshotGap(PROVIDER, self._cluster, _REGION, "manifests", "files", place, reason, detail)
        self._gaps[gap] = None

    def _parts(self) -> dict[Part, object]:
        lists: dict[Part, list[object]] = {}
        firsts: dict[Part, Object] = {}
        known: dict[tuple[str, str], list[object]] = {}
        for each, place in self._objects.values():
            items = known.get((each.group, each.kind))
            if items is None:
                part = Part(PROVIDER, self._cluster, _REGION, each.group or "core", plural_of(each.kind))
                firsts.setdefault(part, each)
                items = known[each.group, each.kind] = lists.setdefault(part, [])
            items.append(_located(each, place))
        return {
            part: {"apiVersion": firsts[part].fields["apiVersion"], "kind": f"{firsts[part].kind}List", "items": items}
            for part, items in lists.items()
        }

    def _closing_notes(self) -> list[str]:
        notes: list[str] = []
        if self._foreign:
            listed = ", ".join(self._foreign[:_SHOWN])
            more = f" and {len(self._foreign) - _SHOWN:,} more" if len(self._foreign) > _SHOWN else ""
            notes.append(f"{amount(len(self._foreign), 'document')} without a Kubernetes object: {listed}{more}")
        others = Counter({kind: count for kind, count in self._kinds.items() if kind not in JUDGED})
        if others:
            ordered = sorted(others.items(), key=lambda item: (-item[1], item[0][1], item[0][0]))
            listed = ", ".join(f"{qualified_kind(*kind)} {count:,}" for kind, count in ordered)
            notes.append(f"{amount(others.total(), 'object')} of kinds that are not judged: {listed}")
        return notes


def _located(each: Object, place: str) -> dict[str, object]:
    """Return an object with the place where it was read; one that nobody knows a place of claims none."""
    metadata = cast("dict[str, object]", each.fields["metadata"])
    annotations = cast("dict[str, object]", metadata.get("annotations") or {})
    if place:
        metadata["annotations"] = {**annotations, LOCATION: place}
    else:
        annotations.pop(LOCATION, None)
    return each.fields


def _as_read(answer: object) -> object:
    return answer


def _is_folder(source: Source) -> bool:
    return isinstance(source, Path) and source.is_dir()


def _nothing(label: str, files: int, foreign: Sequence[str], *, folder: bool) -> str:
    way_out = "name a snapshot, a file or folder of manifests, or pipe these into `cloudseg audit -`"
    if folder and not files:
        snapshot = "no snapshot (a folder with `aws`, `azure`, `gcp` or `kubernetes` in it)"
        return f"{label}: no file *.yaml, *.yml or *.json in this folder, and {snapshot}; {way_out}"
    seen = f" (looked at {', '.join(foreign[:3])}{' and others' if len(foreign) > 3 else ''})" if foreign else ""
    return f"{label}: no Kubernetes object in it{seen}; {way_out}"
