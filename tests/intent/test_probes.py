"""The connectivity tests that belong to an intent, and the script that runs them for pods."""

import os
import subprocess
from pathlib import Path

import pytest

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.intent import Allowance, Intent
from cloudseg.intent.probe_script import probe_script
from cloudseg.intent.probes import Probes, pod_owner, probes_of
from cloudseg.model import Estate
from cloudseg.segments import Choice, Segment, resolve_segments
from cloudseg.traffic import AddressSet, Traffic
from tests.intent.observed import shop, shop_builder


def entry(source: str, target: str, traffic: str) -> Allowance:
    return Allowance(sources=(source,), targets=(target,), traffic=Traffic.parse(traffic))


TIERS = (
    Segment(name="web", choice=Choice(tags={"tier": ("web",)})),
    Segment(name="app", choice=Choice(tags={"tier": ("app",)})),
    Segment(name="db", choice=Choice(names=("orders",))),
    Segment(name="office", choice=Choice(addresses=AddressSet.parse("198.51.100.0/28"))),
)


def probes(*allow: Allowance, segments: tuple[Segment, ...] = TIERS, estate: Estate | None = None) -> Probes:
    estate = estate or shop()
    intent = Intent(segments=segments, allow=allow)
    return probes_of(estate, intent.allowed(resolve_segments(segments, estate), "2026-11-16"))


def told(found: Probes) -> list[str]:
    return [
        f"{each.expected} {each.source_segment} {each.source_address or '-'} to "
        f"{each.target_address} {each.protocol}/{each.port}"
        for each in found.probes
    ]


def test_an_allowed_pair_is_tried_and_who_would_skip_its_tier_is_not_let_through() -> None:
    found = probes(entry("web", "app", "tcp/8080"), entry("app", "db", "tcp/5432"))
    assert told(found) == [
        "allowed web 10.0.1.11 to 10.0.2.20 tcp/8080",
        "blocked db 10.0.2.30 to 10.0.2.20 tcp/8080",
        "allowed app 10.0.2.20 to 10.0.2.30 tcp/5432",
        "blocked web 10.0.1.11 to 10.0.2.30 tcp/5432",
    ]
    assert found.probes[3].why == "no entry of the intent allows web to db: tcp/5432"


def test_members_of_one_segment_are_tried_with_each_other() -> None:
    assert told(probes(entry("web", "web", "tcp/443")))[0] == "allowed web 10.0.1.11 to 10.0.1.12 tcp/443"


def test_the_internet_is_tried_from_nowhere_in_particular() -> None:
    found = probes(entry("internet", "web", "tcp/443"), entry("web", "app", "tcp/8080"))
    assert "allowed internet - to 10.0.1.11 tcp/443" in told(found)
    assert "blocked internet - to 10.0.2.20 tcp/8080" in told(found)


def test_what_another_segment_of_the_pair_allows_is_not_expected_to_be_blocked() -> None:
    everybody = Segment(name="all", choice=Choice(tags={"application": ("shop",)}))
    found = probes(entry("all", "db", "tcp/5432"), segments=(*TIERS, everybody))
    assert [line for line in told(found) if line.startswith("blocked")] == []


@pytest.mark.parametrize(("traffic", "ports"), [("tcp/9000-9010", [9000]), ("tcp", []), ("icmp", []), ("all", [])])
def test_a_port_is_tried_where_the_entry_names_some(traffic: str, ports: list[int]) -> None:
    found = probes(entry("web", "app", traffic))
    assert [each.port for each in found.probes if each.expected == "allowed"] == ports
    assert found.untried == (0 if ports else 1)


def test_addresses_outside_are_counted_as_not_tried() -> None:
    assert probes(entry("office", "web", "tcp/22"), entry("web", "office", "tcp/443")).untried == 2


def test_both_ends_are_tried_in_one_family_of_addresses() -> None:
    builder = shop_builder()
    builder.interface("eni-six", "subnet-private", ["sg-app"], "2001:db8::6", tags={"tier": "six"})
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.30, 2001:db8::30", name="orders")
    six = Segment(name="six", choice=Choice(tags={"tier": ("six",)}))
    found = probes(
        entry("six", "db", "tcp/5432"), entry("six", "app", "tcp/80"), segments=(*TIERS, six), estate=builder.build()
    )
    assert "allowed six 2001:db8::6 to 2001:db8::30 tcp/5432" in told(found)
    assert [line for line in told(found) if line.startswith("allowed six") and "tcp/80" in line] == []
    assert found.untried == 1


def cluster() -> Estate:
    builder = ClusterBuilder("c1")
    for number, name in enumerate(("web", "app", "db"), 1):
        builder.workload("shop", name, addresses=AddressSet.parse(f"10.244.0.{number}"))
    return builder.build()


PODS = tuple(Segment(name=name, choice=Choice(tags={"app": (name,)})) for name in ("web", "app", "db"))
KUBECTL = """#!/bin/sh
# Answers like a cluster: from web only port 8080 of 10.244.0.2 is open; the pods of db have no shell.
echo "$*" | tr '\\n' ' ' >> "$0.log"; echo >> "$0.log"
for last; do port=$host host=$last; done
case "$*" in
  *deployment/db*) exit 126 ;;
  *deployment/web*"10.244.0.2 8080") echo open ;;
  *) echo "${OTHERS:-closed}" ;;
esac
"""


def started(script: str, folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    kubectl = folder / "kubectl"
    kubectl.write_text(KUBECTL, encoding="utf-8")
    kubectl.chmod(0o755)
    path = folder / "probes.sh"
    path.write_text(script, encoding="utf-8")
    held = {"PATH": os.environ["PATH"], "KUBECTL": str(kubectl), **environment}
    return subprocess.run(["sh", str(path), *arguments], env=held, capture_output=True, text=True, check=False)


class TestScript:
    def script(self) -> str:
        found = probes(entry("web", "app", "tcp/8080"), segments=PODS, estate=cluster())
        return probe_script(found.probes, "2026-11-16T00:00:00Z")

    def test_it_says_what_came_out_and_a_pod_that_cannot_be_asked_is_not_taken_for_blocked(
        self, tmp_path: Path
    ) -> None:
        result = started(self.script(), tmp_path)
        assert result.stdout == (
            "ok\tallowed\tshop/deployment/web to 10.244.0.2 port 8080: the intent allows web to app: tcp/8080\n"
            "untried\tblocked\tshop/deployment/db to 10.244.0.2 port 8080: "
            "no entry of the intent allows db to app: tcp/8080\n"
            "1 as expected, 0 not, 1 could not be tried\n"
        )
        assert (result.returncode, result.stderr) == (3, "")

    def test_what_is_open_against_the_intent_makes_it_fail(self, tmp_path: Path) -> None:
        found = probes(entry("app", "db", "tcp/5432"), segments=PODS, estate=cluster())
        result = started(probe_script(found.probes, ""), tmp_path, OTHERS="open")
        assert "WRONG\tblocked\tshop/deployment/web" in result.stdout
        assert result.returncode == 1

    def test_an_answer_that_is_neither_is_not_tried(self, tmp_path: Path) -> None:
        found = probes(entry("app", "db", "tcp/5432"), segments=PODS, estate=cluster())
        assert started(probe_script(found.probes, ""), tmp_path, OTHERS="no nc").returncode == 3

    def test_pods_are_asked_in_their_namespace(self, tmp_path: Path) -> None:
        started(self.script(), tmp_path)
        calls = (tmp_path / "kubectl.log").read_text(encoding="utf-8").splitlines()
        assert calls[0].startswith("exec --namespace=shop deployment/web -- sh -c ")
        assert calls[0].endswith(" sh 10.244.0.2 8080 ")

    def test_of_several_clusters_one_is_named(self, tmp_path: Path) -> None:
        two = ClusterBuilder("c2")
        two.workload("shop", "web", addresses=AddressSet.parse("10.245.0.1"))
        two.workload("shop", "app", addresses=AddressSet.parse("10.245.0.2"))
        found = [
            *probes(entry("web", "app", "tcp/8080"), segments=PODS, estate=cluster()).probes,
            *probes(entry("web", "app", "tcp/8080"), segments=PODS, estate=two.build()).probes,
        ]
        script = probe_script(found, "")
        refused = started(script, tmp_path)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert started(script, tmp_path, "c2").stdout.count("10.245.0.2") == 1

    def test_hostile_names_are_words_and_no_commands(self, tmp_path: Path) -> None:
        builder = ClusterBuilder("c1'; touch bad1 #\n")
        evil = "$(touch bad2)`touch bad3`'; touch bad4 #\x1b[31m"
        builder.workload("shop", evil, {"app": "web"}, addresses=AddressSet.parse("10.244.0.1"))
        builder.workload("shop", "app", addresses=AddressSet.parse("10.244.0.2"))
        estate = builder.build()
        names = tuple(Segment(name=f"{s.name}'$(touch bad5)", choice=s.choice) for s in PODS)
        found = probes(entry(names[0].name, names[1].name, "tcp/8080"), segments=names, estate=estate)
        assert found.probes
        script = probe_script(found.probes, "")
        assert all(line.replace("\t", " ").isprintable() for line in script.splitlines())
        result = subprocess.run(
            ["sh", "-c", script], cwd=tmp_path, env={"PATH": os.environ["PATH"], "KUBECTL": "true"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 3
        assert list(tmp_path.iterdir()) == []

    def test_without_pods_it_tries_nothing(self, tmp_path: Path) -> None:
        result = started(probe_script(probes(entry("web", "app", "tcp/8080")).probes, ""), tmp_path)
        assert (result.returncode, result.stdout) == (0, "0 as expected, 0 not, 0 could not be tried\n")


def test_jobs_by_schedule_and_machines_have_no_pods_to_ask() -> None:
    builder = ClusterBuilder()
    builder.workload("shop", "nightly", kind="CronJob")
    builder.workload("shop", "db", kind="StatefulSet")
    owners = {interface.name: pod_owner(interface) for interface in builder.build().interfaces.values()}
    assert owners["nightly"] is None
    assert owners["db"] is not None
    assert owners["db"].resource == "statefulset/db"
    assert all(pod_owner(interface) is None for interface in shop().interfaces.values())


def test_no_line_of_the_script_is_the_day_on_which_a_snapshot_says_that_it_was_taken() -> None:
    script = probe_script(probes(entry("web", "app", "tcp/8080")).probes, "2026\nrm -rf /\n")
    assert not any(line.startswith("rm") for line in script.splitlines())
