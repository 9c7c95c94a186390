"""Accept mutual TLS alone where every client of a mesh's workloads speaks it already.

What it changes:
    In each PeerAuthentication of Istio that lets plain text in for all that it concerns, it sets the mode ``STRICT``:
    the rules for plain text go out of the policy.

What it proves:
    Fewer connections are accepted than before, so that nobody gains anything. Every client that was observed, or that
    the intent allows, is part of the mesh and speaks mutual TLS with these workloads, so that nothing is lost.

What it leaves to people:
    Clients that are no part of the mesh, or of which that is not known, go on speaking plain text: they are brought
    into the mesh first. Where no policy counts yet, it says which one to add; so it does for modes of single ports, for
    policies that may count instead of others, for Linkerd and for Consul, where annotations decide as well. Probes of
    the kubelet are taken aside by Istio; other probes are clients like all others.

How it is undone:
    The policy gets its old mode back, ``PERMISSIVE`` or ``DISABLE``. Clients reach the workloads in plain text at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.clusters import clusters, pods_in_words, workload_name
from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.meshes import (
    IN_MESH,
    MESH_EXAMPLE,
    TCP,
    decides_by_port,
    is_of_consul,
    members,
    plain_text,
    policies_of_mesh,
    surely_member,
)
from cloudseg.checks.rule_lists import counted
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Everyone
from cloudseg.model.edits import RemoveRule
from cloudseg.remediations.interface import Change, Proposal, Remedy, RemedyExample
from cloudseg.remediations.needed import Unknown
from cloudseg.remediations.subjects import advised
from cloudseg.remediations.wants import wants_of
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer
    from cloudseg.remediations.wants import Want

_ID: Final = "require-mtls"
_KIND: Final = "PeerAuthentication"
_LOOSE: Final = frozenset(("PERMISSIVE", "DISABLE"))
_RISKS: Final = (
    "probes that come to a port of the workload itself, and not by the kubelet, are clients without an identity",
    "clients that connect seldom were perhaps not seen: jobs, backups, monitoring",
)
"""Source: https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/"""


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield the policies that are to ask for mutual TLS, or what people have to do first."""
    pods = _accepting(context.estate, finding)
    if not pods:
        yield advised(_ID, finding, "the workloads are not in the estate any more", ("read the estate again",))
        return
    policies: dict[str, RuleSet] = {}
    for pod in pods:
        if decides_by_port(pod) or is_of_consul(pod):
            yield advised(_ID, finding, f"annotations decide for {workload_name(pod)} as well as policies do")
            return
        own = policies_of_mesh(context.estate, pod)
        if not own:
            yield advised(
                _ID, finding, f"no policy asks for mutual TLS of {workload_name(pod)} yet: a new one is needed"
            )
            return
        policies |= {policy.id: policy for policy in own}
    for name in sorted(policies):
        yield _strict(context, finding, policies[name])


def _accepting(estate: Estate, finding: Finding) -> tuple[Interface, ...]:
    """Return the workloads of a namespace that accept plain text, or may."""
    for cluster in clusters(estate):
        namespace = cluster.namespaces.get(finding.resource.id)
        if cluster.network.scope == finding.scope and namespace is not None:
            return tuple(pod for pod in members(namespace) if plain_text(estate, pod).at_most)
    return ()


def _strict(context: RemedyContext, finding: Finding, policy: RuleSet) -> Answer:
    estate = context.estate
    concerned = estate.governed(policy)
    mode = policy.tags.get("mode", "")
    if policy.managed_by or policy.kind != _KIND:
        return advised(
            _ID, finding, f"{policy.own_id} is kept by {policy.managed_by or 'something else'}, and changed there"
        )
    if mode not in _LOOSE:
        return advised(
            _ID, finding, f"{policy.own_id} sets {mode or 'no mode that is known'}: look at each of its ports"
        )
    unsure = [pod for pod in concerned if not surely_member(pod) or pod.attached_unread]
    if unsure:
        return advised(
            _ID, finding, f"whether these are part of the mesh is not known for sure: {pods_in_words(unsure)}"
        )
    plain = [rule for rule in policy.rules if _is_plain(rule)]
    left = [rule for rule in policy.rules if rule not in plain]
    if not plain or not left:
        return advised(_ID, finding, f"what {policy.own_id} admits besides plain text was not read in full")
    wants = wants_of(context, concerned, "ingress", policy)
    if isinstance(wants, Unknown):
        return advised(_ID, finding, wants.reason, (*wants.steps, *_steps(finding)), wants.witness)
    strangers = [want for want in wants.wants if want.traffic.overlaps(TCP) and not _speaks(estate, want)]
    if strangers:
        first = strangers[0]
        who = first.other.name or _called(estate, first)
        return advised(
            _ID,
            finding,
            f"{counted(len(strangers), 'client')} of these workloads are not surely part of the mesh",
            ("bring them into the mesh, or give them a port of its own with another mode", *_steps(finding)),
            f"{who} → {workload_name(estate.interfaces[first.own])} {first.traffic}",
        )
    change = Change(
        edits=tuple(RemoveRule(policy.id, rule.id) for rule in plain),
        phase="remove",
        reason=f"{policy.own_id} accepts plain text ({mode}), and every client that is known speaks mutual TLS",
        evidence=(
            *finding.evidence,
            *wants.facts,
            f"{counted(len(wants.wants), 'pair')} of client and workload, all in the mesh",
        ),
        undo=f"set the mode of {policy.own_id} to {mode} again",
    )
    gone = f"{wants.gone:,} conversations came from clients that are not there any more"
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=policy.id,
        summary=f"set mode STRICT in {policy.own_id}, for {counted(len(concerned), 'workload')}",
        changes=(change,),
        risks=(*_RISKS, *((gone,) if wants.gone else ())),
        drops=("connections in plain text, from whomever they come",),
    )


def _is_plain(rule: Rule) -> bool:
    """Tell whether a rule admits TCP of everyone, whoever he is: plain text."""
    return rule.allows and Everyone() in rule.remote and rule.traffic.overlaps(TCP)


def _speaks(estate: Estate, want: Want) -> bool:
    """Tell whether the other end is surely part of the mesh of an interface."""
    client, own = estate.interfaces.get(want.other.interface), estate.interfaces[want.own]
    return (
        client is not None
        and client.is_pod
        and client.scope == own.scope
        and surely_member(client)
        and not client.attached_unread
    )


def _called(estate: Estate, want: Want) -> str:
    client = estate.interfaces.get(want.other.interface)
    return want.other.address if client is None else workload_name(client)


def _steps(finding: Finding) -> tuple[str, ...]:
    return () if finding.remedy is None else (finding.remedy.summary,)


def _mesh(mode: str, *, stranger: bool = False) -> Estate:
    b = ClusterBuilder()
    for name in ("web", "db"):
        outside = stranger and name == "web"
        b.workload("shop", name, {"app": name} if outside else {"app": name, IN_MESH: MESH_EXAMPLE})
    if mode:
        b.mutual_tls("shop", "default", mode)
    return b.build()


def _permissive() -> Estate:
    return _mesh("PERMISSIVE")


def _stranger() -> Estate:
    return _mesh("PERMISSIVE", stranger=True)


def _no_policy() -> Estate:
    return _mesh("")


def _web_to_db() -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(tags={"app": (name,)})) for name in ("web", "db"))
    allowed = Allowance(sources=("web",), targets=("db",), traffic=Traffic.parse("tcp/5432"))
    return Intent(segments=segments, allow=(allowed,))


REMEDY = Remedy(
    id=_ID,
    answers=("permissive-mtls",),
    propose=propose,
    examples=(
        RemedyExample(
            name="a policy accepts both, and the only client is part of the mesh",
            build=_permissive,
            check="permissive-mtls",
            changes=("remove from shop/PeerAuthentication/default: ingress all from everyone",),
            intent=_web_to_db,
        ),
        RemedyExample(
            name="a client is no part of the mesh",
            build=_stranger,
            check="permissive-mtls",
            advice="not surely part of the mesh",
            intent=_web_to_db,
        ),
        RemedyExample(
            name="no policy asks for mutual TLS",
            build=_no_policy,
            check="permissive-mtls",
            advice="a new one is needed",
        ),
        RemedyExample(
            name="nobody knows the clients",
            build=_permissive,
            check="permissive-mtls",
            advice="no flow logs and no intent were given",
        ),
    ),
    concept={"kubernetes": "the modes of PeerAuthentication policies of Istio"},
    absent={
        "aws": "groups know addresses and no certificates; meshes of its own (App Mesh, VPC Lattice) are not read",
        "azure": "NSGs know addresses and no certificates; meshes run in clusters",
        "gcp": "firewall rules know addresses and no certificates; meshes run in clusters",
    },
)
