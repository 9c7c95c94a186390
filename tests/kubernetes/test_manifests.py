"""Manifests become a snapshot: every object with its place, and nothing that was passed over without a word."""

import io
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from cloudseg.errors import InputError
from cloudseg.providers.kubernetes.manifests import LOCATION, read_manifests
from cloudseg.snapshot import Part, Snapshot, load, save

Write = Callable[[str, str], Path]

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny
  namespace: shop
spec:
  podSelector: {}
"""
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder `manifests` in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifests").mkdir()
    return Path("manifests")


@pytest.fixture
def write(folder: Path) -> Write:
    """Write one file of the folder; returns its path as a command line would name it."""

    def written(name: str, text: str) -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return written


def items(snapshot: Snapshot, service: str, operation: str, cluster: str = "manifests") -> list[dict[str, object]]:
    part = Part("kubernetes", cluster, "global", service, operation)
    if part not in snapshot:
        return []
    return cast("list[dict[str, object]]", cast("dict[str, object]", snapshot.read(part))["items"])


def names(snapshot: Snapshot) -> list[str]:
    """Return `<service>/<operation>/<name>` of every object."""
    return [
        f"{part.service}/{part.operation}/{cast('dict[str, object]', item['metadata'])['name']}"
        for part in snapshot.parts()
        for item in items(snapshot, part.service, part.operation, part.scope)
    ]


def location(item: dict[str, object]) -> object:
    annotations = cast("dict[str, object]", cast("dict[str, object]", item["metadata"]).get("annotations") or {})
    return annotations.get(LOCATION)


def told(snapshot: Snapshot) -> list[tuple[str | None, str]]:
    return [(gap.resource, gap.reason) for gap in snapshot.gaps]


def piped(text: str) -> Snapshot:
    return read_manifests(io.StringIO(text))


def fields(text: str) -> dict[str, object]:
    """Return the spec of an object as it is read from YAML."""
    [item] = items(piped(f"{POD}spec:\n{text}"), "core", "pods")
    return cast("dict[str, object]", item["spec"])


# What is read


def test_each_kind_is_a_list_object_of_its_api_group(write: Write) -> None:
    snapshot = read_manifests([write("all.yaml", f"{POLICY}---\n{POD}")], "prod")
    assert [part.path for part in snapshot.parts()] == [
        "kubernetes/prod/global/core/pods.json",
        "kubernetes/prod/global/networking.k8s.io/networkpolicies.json",
    ]
    policies = snapshot.read(Part("kubernetes", "prod", "global", "networking.k8s.io", "networkpolicies"))
    assert policies == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicyList",
        "items": [
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {
                    "name": "deny",
                    "namespace": "shop",
                    "annotations": {"cloudseg.io/location": "manifests/all.yaml:1"},
                },
                "spec": {"podSelector": {}},
            }
        ],
    }
    assert [(scope.provider, scope.scope, scope.regions) for scope in snapshot.scopes] == [("kubernetes", "prod", ())]
    assert snapshot.gaps == ()


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("NetworkPolicy", "networkpolicies"),
        ("Ingress", "ingresses"),
        ("Gateway", "gateways"),
        ("Endpoints", "endpoints"),
        ("EndpointSlice", "endpointslices"),
        ("IPAddressPool", "ipaddresspools"),
        ("ServiceEntry", "serviceentries"),
        ("Mesh", "meshes"),
    ],
)
def test_plurals_follow_english(kind: str, plural: str) -> None:
    [part] = piped(f"apiVersion: example.org/v1\nkind: {kind}\nmetadata: {{name: a}}\n").parts()
    assert (part.service, part.operation) == ("example.org", plural)


def test_the_line_is_that_of_the_first_key_of_the_object(write: Write) -> None:
    text = f"# a comment\n\n---\n# another\n{POD}---\n\n{POLICY}"
    snapshot = read_manifests([write("all.yaml", text)])
    assert [location(item) for item in items(snapshot, "core", "pods")] == ["manifests/all.yaml:5"]
    policies = items(snapshot, "networking.k8s.io", "networkpolicies")
    assert [location(item) for item in policies] == ["manifests/all.yaml:10"]


def test_separators_with_comments_ends_and_directives_part_documents(write: Write) -> None:
    text = f"%YAML 1.1\n--- # first\n{POD}...\n# between\n--- \n{POLICY}---\n---\n"
    snapshot = read_manifests([write("all.yaml", text)])
    assert names(snapshot) == ["core/pods/web", "networking.k8s.io/networkpolicies/deny"]
    assert [location(item) for item in items(snapshot, "core", "pods")] == ["manifests/all.yaml:3"]
    assert snapshot.gaps == ()


def test_an_indented_separator_in_a_text_parts_nothing() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    one\n    ---\n    two\n"
    [item] = items(piped(text), "core", "configmaps")
    assert item["data"] == {"x": "one\n---\ntwo\n"}


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(folder: Path) -> None:
    file = folder / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + f"---\n{POD}---\n{POLICY}".replace("\n", "\r\n").encode())
    snapshot = read_manifests([file])
    assert [location(item) for item in items(snapshot, "core", "pods")] == ["manifests/a.yaml:2"]
    assert [location(item) for item in items(snapshot, "networking.k8s.io", "networkpolicies")] == [
        "manifests/a.yaml:6"
    ]


def test_utf_16_with_its_mark_is_read_as_powershell_writes_it(folder: Path) -> None:
    file = folder / "a.yaml"
    file.write_bytes(POD.encode("utf-16"))
    assert names(read_manifests([file])) == ["core/pods/web"]


def test_a_list_is_taken_apart_and_each_item_has_its_own_line(write: Write) -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: shop}\n"
        "- apiVersion: v1\n  kind: Pod\n  metadata: {name: web}\n"
    )
    snapshot = read_manifests([write("list.yaml", f"---\n{text}")])
    assert [location(item) for item in items(snapshot, "core", "namespaces")] == ["manifests/list.yaml:5"]
    assert [location(item) for item in items(snapshot, "core", "pods")] == ["manifests/list.yaml:8"]


def test_items_of_a_list_of_one_kind_take_kind_and_version_from_it() -> None:
    text = json.dumps({"apiVersion": "apps/v1", "kind": "DeploymentList", "items": [{"metadata": {"name": "web"}}]})
    [item] = items(piped(text), "apps", "deployments")
    assert (item["apiVersion"], item["kind"]) == ("apps/v1", "Deployment")


def test_an_empty_list_holds_nothing_and_is_no_mistake() -> None:
    snapshot = piped(f"{POD}---\napiVersion: v1\nkind: List\nitems: []\n---\napiVersion: v1\nkind: PodList\nitems:\n")
    assert names(snapshot) == ["core/pods/web"]
    assert snapshot.gaps == ()


def test_a_kind_that_only_ends_like_a_list_is_an_object() -> None:
    snapshot = piped("apiVersion: example.org/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {items: [1]}\n")
    assert names(snapshot) == ["example.org/allowlists/a"]


def test_json_is_read_with_the_line_of_every_item(write: Write) -> None:
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}} for name in ("a", "b")]
    text = json.dumps({"kind": "List", "apiVersion": "v1", "items": pods}, indent=1)
    snapshot = read_manifests([write("list.json", text)])
    lines = text.split("\n")
    expected = [f"manifests/list.json:{number}" for number, line in enumerate(lines, 1) if line == "  {"]
    assert len(expected) == 2
    assert [location(item) for item in items(snapshot, "core", "pods")] == expected


def test_json_objects_may_follow_each_other(write: Write) -> None:
    one, two, three = (
        json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}) for name in ("a", "b", "c")
    )
    snapshot = read_manifests([write("stream.json", f"{one}{two}\n---\n{three}\n")])
    assert [location(item) for item in items(snapshot, "core", "pods")] == [
        "manifests/stream.json:1",
        "manifests/stream.json:1",
        "manifests/stream.json:3",
    ]


CILIUM = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: "%s"}}
"""


def test_a_template_of_any_policy_that_is_judged_is_told_and_not_judged() -> None:
    snapshot = piped(POD + "---\n" + CILIUM % "{{ .Values.app }}")
    assert [gap.resource for gap in snapshot.gaps] == ["standard input:5"]
    assert "a template that was not rendered" in snapshot.gaps[0].detail
    assert items(snapshot, "cilium.io", "ciliumnetworkpolicies") == []


def test_two_policies_of_one_name_that_differ_are_a_gap_whoever_made_the_kind() -> None:
    [gap] = piped(CILIUM % "web" + "---\n" + CILIUM % "db").gaps
    assert "CiliumNetworkPolicy shop/web is also in line 1 and differs there; the last one counts" in gap.detail


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("cilium.io/v2", "CiliumNetworkPolicy"),
        ("projectcalico.org/v3", "GlobalNetworkPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
        ("security.istio.io/v1", "AuthorizationPolicy"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("v1", "ReplicationController"),
    ],
)
def test_what_is_evaluated_is_not_counted_as_not_judged(version: str, kind: str) -> None:
    assert piped(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a, namespace: b}}\n").notes == ()


def test_yaml_in_braces_is_no_broken_json() -> None:
    snapshot = piped("{apiVersion: v1, kind: Pod, metadata: {name: web}}\n")
    assert names(snapshot) == ["core/pods/web"]
    assert snapshot.gaps == ()


# Values are those that kubectl sends


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8080", 8080),
        ("010", 8),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", 1000),
        ("-5", -5),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("yes", True),
        ("y", True),
        ("Off", False),
        ("~", None),
        ("", None),
        ('"8080"', "8080"),
        ("'on'", "on"),
        ("!!str 8080", "8080"),
        ('!!int "8080"', 8080),
        ("2027-01-31", "2027-01-31"),
        ("22:30", "22:30"),
        ("1.2.3.4", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        (".inf", ".inf"),
        ("-", None),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", float(2**64)),
        ("!custom web", "web"),
    ],
)
def test_a_value_means_what_it_means_to_kubectl(text: str, value: object) -> None:
    if text == "-":
        assert fields("  x:\n  -\n") == {"x": [None]}
        return
    read = fields(f"  x: {text}\n")["x"]
    assert (read, type(read)) == (value, type(value))


def test_keys_become_texts() -> None:
    assert fields("  {8080: a, on: b, 1.5: c}\n") == {"8080": "a", "true": "b", "1.5": "c"}


def test_aliases_and_merge_keys_are_written_out() -> None:
    text = "  base: &base {a: 1, b: 2}\n  one: {<<: *base, b: 3}\n  two: {b: 4, <<: [{c: 5}, {c: 6, d: 7}]}\n"
    read = fields(text)
    assert read["one"] == {"a": 1, "b": 3}
    assert read["two"] == {"b": 4, "c": 5, "d": 7}


# Folders


def test_a_folder_is_read_with_everything_beneath_but_hidden_folders(write: Write, folder: Path) -> None:
    for number, name in enumerate(("b.yaml", "a/c.yml", "a/d.json", ".git/e.yaml", "readme.md", "._b.yaml")):
        write(name, json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{number}"}}))
    snapshot = read_manifests([folder])
    assert [location(item) for item in items(snapshot, "core", "pods")] == [
        "manifests/a/c.yml:1",
        "manifests/a/d.json:1",
        "manifests/b.yaml:1",
    ]
    assert any(".git" in note for note in snapshot.notes)


def test_several_sources_make_one_cluster(write: Write) -> None:
    snapshot = read_manifests([write("a.yaml", POD), write("b.yaml", POLICY), io.StringIO(POD.replace("web", "app"))])
    assert names(snapshot) == ["core/pods/web", "core/pods/app", "networking.k8s.io/networkpolicies/deny"]


def test_an_object_of_standard_input_claims_no_place() -> None:
    text = f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations: {{{LOCATION}: elsewhere.yaml:1, a: b}}\n"
    [item] = items(piped(text), "core", "pods")
    assert cast("dict[str, object]", item["metadata"])["annotations"] == {"a": "b"}


def test_the_time_is_that_of_the_newest_file(write: Write, folder: Path) -> None:
    for day, name in enumerate(("a", "b"), 1):
        moment = datetime(2026, 3, day, 12, 30, 15, tzinfo=UTC).timestamp()
        os.utime(write(f"{name}.yaml", POD.replace("web", name)), (moment, moment))
    assert read_manifests([folder]).taken_at == "2026-03-02T12:30:15Z"


def test_the_time_of_standard_input_is_now() -> None:
    taken_at = datetime.strptime(piped(POD).taken_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - taken_at) < timedelta(minutes=5)


def test_a_linked_file_is_read_and_a_linked_folder_is_told(write: Write, folder: Path, tmp_path: Path) -> None:
    # As the kubelet mounts a ConfigMap: https://kubernetes.io/docs/concepts/configuration/configmap/.
    write("..data/pod.yaml", POD)
    (folder / "pod.yaml").symlink_to("..data/pod.yaml")
    (tmp_path / "elsewhere").mkdir()
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "again").symlink_to(".")
    snapshot = read_manifests([folder])
    assert [location(item) for item in items(snapshot, "core", "pods")] == ["manifests/pod.yaml:1"]
    assert told(snapshot) == [("manifests/more", "skipped")]


def test_a_snapshot_among_manifests_is_no_manifest(write: Write, folder: Path) -> None:
    write("pod.yaml", POD)
    write("old/aws/111122223333/eu-west-1/ec2/describe_vpcs.json", '{"Vpcs": []}')
    snapshot = read_manifests([folder])
    assert snapshot.gaps == ()
    assert "manifests/old: a snapshot; name it as a source" in snapshot.notes


def test_a_snapshot_of_manifests_is_saved_and_loaded_alike(write: Write, tmp_path: Path) -> None:
    snapshot = read_manifests([write("a.yaml", f"{POLICY}---\n{POD}---\n- no object\n")])
    save(snapshot, tmp_path / "kept.zip")
    kept = load(tmp_path / "kept.zip")
    assert [(part, kept.read(part)) for part in kept.parts()] == [
        (part, snapshot.read(part)) for part in snapshot.parts()
    ]
    assert (kept.gaps, kept.taken_at, kept.scopes) == (snapshot.gaps, snapshot.taken_at, snapshot.scopes)


# What is not judged, and what is never kept


def test_kinds_that_are_not_judged_are_kept_and_counted() -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n"
    route = "apiVersion: example.org/v1\nkind: Route\nmetadata: {name: a}\n"
    snapshot = piped("---\n".join([POD, config.format("a"), config.format("b"), route]))
    assert "3 objects of kinds that are not judged: ConfigMap 2, Route.example.org 1" in snapshot.notes
    assert "core/configmaps/b" in names(snapshot)
    assert snapshot.gaps == ()


@pytest.mark.parametrize(
    "secret",
    [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: hunter2}\nstringData: {password: hunter2}\n",
        "apiVersion: v1\nkind: SecretList\nitems: [{metadata: {name: hunter2}, data: {password: hunter2}}]\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: *hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: hunter2\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: [hunter2]}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: hunter2\n",
        "hunter2\n",
    ],
)
def test_nothing_of_a_secret_is_kept_or_told(secret: str, tmp_path: Path) -> None:
    snapshot = piped(f"{POD}---\n{secret}")
    assert names(snapshot) == ["core/pods/web"]
    assert "hunter2" not in f"{snapshot.gaps} {snapshot.notes}"
    save(snapshot, tmp_path / "kept")
    assert not any(b"hunter2" in file.read_bytes() for file in (tmp_path / "kept").rglob("*.json"))


def test_secrets_are_counted() -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
    assert piped(secret).notes == ("1 object of kinds that are not judged: Secret 1",)


# Bad input: told with its place, and the rest goes on


@pytest.mark.parametrize(
    ("bad", "line", "words"),
    [
        ("a: [1\nb: 2\n", 6, "this is no YAML"),
        ("a: b: c\n", 5, "mapping values are not allowed"),
        ("a: \x07\n", 5, "this is no YAML"),
        ("a: *b\n", 5, "a text that begins with * needs quotes"),
        ("a: &a [*a]\n", 5, "nests too deeply"),
        ("- web\n", 5, "a list, where an object"),
        ("web\n", 5, "a text, where an object"),
        ("? [a]\n: b\n", 5, "a key must be a text"),
        ("kind: Pod\nmetadata: {name: a}\n", 5, "an object of kind Pod without apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}\n", 5, "an object without kind"),
        ("services: {web: {}}\n", 5, "an object without apiVersion and kind and metadata"),
        ("apiVersion: v1\nkind: Pod\n", 5, "an object of kind Pod without metadata"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n", 5, "a Pod without metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 5}\n", 5, "must be a text, not the number 5; put it in quotes"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: on}\n", 5, "must be a text, not true"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: b}\n", 5, "must be a mapping, not a text"),
        ("apiVersion: v1\nkind: Pod\nmetadata: []\n", 5, "must be a mapping, not a list"),
        ("apiVersion: v1\nkind: ../Pod\nmetadata: {name: a}\n", 5, "'../Pod' is no kind of object"),
        ("apiVersion: ../../v1\nkind: Pod\nmetadata: {name: a}\n", 5, "'../../v1' is no apiVersion of a Pod"),
        ("apiVersion: v1\nkind: List\nitems: {a: b}\n", 5, "must be a list"),
        ("apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n- 5\n", 8, "an object of kind Pod without"),
    ],
)
def test_a_bad_document_is_told_with_its_line_and_the_others_are_read(
    write: Write, bad: str, line: int, words: str
) -> None:
    file = write("a.yaml", f"{POD}---\n{bad}---\n{POLICY}")
    snapshot = read_manifests([file])
    assert names(snapshot) == ["core/pods/web", "networking.k8s.io/networkpolicies/deny"]
    gap = snapshot.gaps[0]
    assert (gap.provider, gap.scope, gap.region) == ("kubernetes", "manifests", "global")
    assert (gap.resource, gap.reason) == (f"{file}:{line}", "malformed")
    assert words in gap.detail


def test_an_item_that_is_no_object_leaves_the_others(write: Write) -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- 5\n- {apiVersion: v1, kind: Pod, metadata: {name: web}}\n"
    snapshot = read_manifests([write("a.yaml", text)])
    assert names(snapshot) == ["core/pods/web"]
    assert told(snapshot) == [("manifests/a.yaml:4", "malformed")]


@pytest.mark.parametrize("deep", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000])
def test_deep_nesting_ends_no_process(deep: str) -> None:
    snapshot = piped(f"{POD}---\n{deep}\n")
    assert names(snapshot) == ["core/pods/web"]
    assert told(snapshot) == [("standard input:5", "malformed")]


def test_deep_nesting_of_json_ends_no_process(write: Write) -> None:
    bad = write("bad.json", '{"kind": ' + "[" * 100_000)
    snapshot = read_manifests([write("good.yaml", POD), bad])
    assert names(snapshot) == ["core/pods/web"]
    assert told(snapshot) == [("manifests/bad.json:1", "malformed")]


def test_aliases_of_aliases_are_no_bomb() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert told(piped(f"{POD}---\n" + "\n".join(lines))) != []


def test_a_key_that_stands_twice_is_told_and_the_last_one_counts(write: Write) -> None:
    text = f"{POD}spec:\n  hostNetwork: true\n  hostNetwork: false\n"
    snapshot = read_manifests([write("a.yaml", text)])
    assert items(snapshot, "core", "pods")[0]["spec"] == {"hostNetwork": False}
    assert told(snapshot) == [("manifests/a.yaml:6", "malformed")]
    assert "the key 'hostNetwork' stands twice" in snapshot.gaps[0].detail


def test_a_key_that_stands_twice_in_json_is_told(write: Write) -> None:
    text = '{"apiVersion": "v1", "kind": "Pod", "kind": "Service", "metadata": {"name": "a"}}'
    snapshot = read_manifests([write("a.json", text)])
    assert names(snapshot) == ["core/services/a"]
    assert told(snapshot) == [("manifests/a.json:1", "malformed")]


@pytest.mark.parametrize(
    "text",
    [
        "{{- if .Values.enabled }}\n" + POD + "{{- end }}\n",
        POD.replace("web", "{{ .Values.name }}"),
        POD.replace("web", '"{{ .Values.name }}"'),
        POD.replace("kind: Pod", 'kind: "{{ .Values.kind }}"'),
        POD + "spec: {hostNetwork: {{ .Values.host }}}\n",
        POD + 'spec: {containers: [{name: a, image: "{{ .Values.image }}"}]}\n',
        '{{ include "common.policy" . }}\n',
    ],
)
def test_a_template_that_was_not_rendered_is_told_with_the_way_out(write: Write, folder: Path, text: str) -> None:
    write("policy.yaml", POLICY)
    write("templates/a.yaml", text)
    snapshot = read_manifests([folder])
    assert names(snapshot) == ["networking.k8s.io/networkpolicies/deny"]
    [gap] = snapshot.gaps
    assert str(gap.resource).startswith("manifests/templates/a.yaml:")
    assert "helm template" in gap.detail


def test_a_file_of_many_templates_is_one_gap_and_a_note(write: Write) -> None:
    template = POD.replace("web", "{{ .Values.name }}")
    snapshot = read_manifests([write("a.yaml", f"{POLICY}---\n{template}---\n{template}")])
    assert told(snapshot) == [("manifests/a.yaml:11", "malformed")]
    assert "manifests/a.yaml: 2 documents are templates that were not rendered" in snapshot.notes


def test_braces_that_a_running_program_reads_are_no_template() -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, annotations: {inject: '{{ with secret }}'}}\n"
        "spec: {containers: [{name: a, args: ['{{.Port}}'], env: [{name: A, value: '{{ b }}'}]}]}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: alerts}\ndata: {text: '{{ $value }}'}\n"
    )
    snapshot = piped(text)
    assert names(snapshot) == ["core/configmaps/alerts", "core/pods/web"]
    assert snapshot.gaps == ()


def test_of_two_objects_of_one_name_the_last_counts_and_both_places_are_told(write: Write, folder: Path) -> None:
    write("a.yaml", POLICY)
    write("b.yaml", POLICY.replace("podSelector: {}", "podSelector: {matchLabels: {app: web}}"))
    snapshot = read_manifests([folder])
    [item] = items(snapshot, "networking.k8s.io", "networkpolicies")
    assert location(item) == "manifests/b.yaml:1"
    assert told(snapshot) == [("manifests/b.yaml:1", "malformed")]
    assert "NetworkPolicy shop/deny is also in manifests/a.yaml:1" in snapshot.gaps[0].detail


def test_the_same_object_twice_is_a_note(write: Write, folder: Path) -> None:
    write("a.yaml", POLICY)
    write("b.yaml", POLICY)
    snapshot = read_manifests([folder])
    assert len(items(snapshot, "networking.k8s.io", "networkpolicies")) == 1
    assert snapshot.gaps == ()
    assert any("manifests/a.yaml:1, alike" in note for note in snapshot.notes)


def test_no_namespace_means_the_namespace_default() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web%s}\n"
    snapshot = piped("---\n".join([pod % "", pod % ", namespace: default", pod % ", namespace: shop"]))
    assert names(snapshot) == ["core/pods/web", "core/pods/web"]
    assert len(snapshot.gaps) == 1


def test_names_are_told_apart_by_namespace_kind_and_group() -> None:
    texts = [POD, POD.replace("shop", "prod"), POD.replace("Pod", "Service"), POD.replace("v1", "example.org/v1")]
    snapshot = piped("---\n".join(texts))
    assert len(names(snapshot)) == 4
    assert snapshot.gaps == ()


def test_files_that_cannot_be_read_are_told_and_the_rest_is_read(write: Write, folder: Path) -> None:
    write("good.yaml", POD)
    (folder / "binary.yaml").write_bytes(b"line\n\x80\x81")
    (folder / "nul.yaml").write_bytes(b"a\n\n\x00")
    (folder / "gone.yaml").symlink_to("nowhere.yaml")
    os.mkfifo(folder / "pipe.yaml")
    snapshot = read_manifests([folder])
    assert names(snapshot) == ["core/pods/web"]
    assert sorted(told(snapshot)) == [
        ("manifests/binary.yaml:2", "malformed"),
        ("manifests/gone.yaml", "not-found"),
        ("manifests/nul.yaml:3", "malformed"),
        ("manifests/pipe.yaml", "skipped"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is denied to root")
def test_a_file_and_a_folder_without_permission_are_denied(write: Write, folder: Path) -> None:
    write("good.yaml", POD)
    write("closed.yaml", POD).chmod(0)
    write("shut/a.yaml", POD)
    (folder / "shut").chmod(0)
    try:
        assert sorted(told(read_manifests([folder]))) == [
            ("manifests/closed.yaml", "denied"),
            ("manifests/shut", "denied"),
        ]
    finally:
        (folder / "shut").chmod(0o700)


def test_a_name_that_is_no_unicode_is_shown_with_escapes(folder: Path, tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff.yaml"))).write_text(POD, encoding="utf-8")
    snapshot = read_manifests([folder])
    [item] = items(snapshot, "core", "pods")
    assert location(item) == "manifests/\\udcff.yaml:1"
    save(snapshot, tmp_path / "kept.zip")


# Other things in a folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("values.yaml", "replicas: 3\nimage: {tag: a}\n"),
        ("docker-compose.yml", "services:\n  web: {image: nginx}\n"),
        ("tsconfig.json", '{ // comments\n "a": 1 }'),
        ("list.yaml", ""),
        ("kustomization.yaml", "resources: [pod.yaml]\n"),
        ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
    ],
)
def test_what_is_meant_for_no_cluster_is_no_gap_in_a_folder(write: Write, folder: Path, name: str, text: str) -> None:
    write("pod.yaml", POD)
    write(name, text)
    snapshot = read_manifests([folder])
    assert names(snapshot) == ["core/pods/web"]
    assert snapshot.gaps == ()


def test_what_was_passed_over_is_named(write: Write, folder: Path) -> None:
    write("pod.yaml", POD)
    write("values.yaml", "replicas: 3\n")
    assert "1 document without a Kubernetes object: manifests/values.yaml:1" in read_manifests([folder]).notes


@pytest.mark.parametrize(
    "text",
    [
        "patches: [{path: wider.yaml}]\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: prod\n",
        "resources: [../base]\n",
        "resources: ['https://example.org/app.yaml']\n",
    ],
)
def test_a_kustomization_that_changes_objects_is_a_gap(write: Write, folder: Path, text: str) -> None:
    write("pod.yaml", POD)
    write("kustomization.yaml", text)
    snapshot = read_manifests([folder])
    assert told(snapshot) == [("manifests/kustomization.yaml:1", "unsupported")]
    assert "kustomize build" in snapshot.gaps[0].detail


# Nothing to judge


def test_an_empty_folder_is_refused_with_the_way_out(folder: Path) -> None:
    with pytest.raises(InputError, match=r"manifests: no file \*\.yaml.*pipe these into `cloudseg audit -`"):
        read_manifests([folder])


def test_a_folder_without_any_object_is_refused_and_names_what_was_looked_at(write: Write, folder: Path) -> None:
    write("docker-compose.yml", "services: {}\n")
    with pytest.raises(InputError, match=r"no Kubernetes object in it \(looked at manifests/docker-compose\.yml:1\)"):
        read_manifests([folder])


def test_one_source_without_objects_is_refused_beside_a_good_one(write: Write, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no file"):
        read_manifests([write("pod.yaml", POD), Path("empty")])


def test_a_file_that_is_broken_as_a_whole_is_refused_with_its_line(write: Write) -> None:
    with pytest.raises(
        InputError, match=r"(?s)no Kubernetes object could be read.*manifests/a\.yaml:2: this is no YAML"
    ):
        read_manifests([write("a.yaml", "kind: Pod\na: b: c\n")])


def test_a_broken_file_beside_a_good_one_is_a_gap(write: Write) -> None:
    snapshot = read_manifests([write("a.yaml", "kind: Pod\na: b: c\n"), write("b.yaml", POD)])
    assert told(snapshot) == [("manifests/a.yaml:2", "malformed")]


@pytest.mark.parametrize("text", ["", "---\n---\n", "# nothing\n"])
def test_empty_standard_input_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="standard input: no Kubernetes object"):
        piped(text)


@pytest.mark.parametrize("cluster", ["", "a:b", "a\nb", "x" * 300])
def test_a_name_that_is_no_name_of_a_cluster_is_refused(cluster: str) -> None:
    with pytest.raises(InputError, match="--cluster"):
        read_manifests(io.StringIO(POD), cluster)
