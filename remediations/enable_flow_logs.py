"""Record the traffic of a network that nobody records, or only in part.

What it changes:
    It adds a flow log that records everything: of the network in AWS and Azure, of every subnet that has none in Google
    Cloud. Records go where those of another flow log of the same account and region already arrive.

What it proves:
    A flow log lets nothing through and stops nothing, so that nobody gains or loses anything.

What it leaves to people:
    Where records may go, if no flow log of the account and region tells it; what they cost and how long they are kept;
    a log that is there and does not deliver, keeps its records for too short a time or was not given to the audit.
    Clouds do not let every log be changed in place: what is there is mended by its owner.

How it is undone:
    The flow log is deleted. What it recorded stays where it is.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import AzureBuilder
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.checks.flow_visibility import UNRECORDED, visibilities
from cloudseg.model import FlowLog, Network
from cloudseg.model.edits import AddFlowLog
from cloudseg.remediations.interface import Change, Proposal, Remedy, RemedyExample
from cloudseg.remediations.naming import name_for, new_id
from cloudseg.remediations.subjects import advised, subject_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Subnet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer

_ID: Final = "enable-flow-logs"
_CLOUD_LOGGING: Final = "Cloud Logging"
_UNDO: Final = "delete the flow log; what it recorded stays"
_COSTS: Final = "records cost money for each byte that is taken in and stored; see that somebody deletes old ones"
_WATCHER: Final = "/flowlogs/"


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield the flow logs that a network lacks, or what people have to do first."""
    network = subject_of(context, finding, Network)
    if network is None:
        yield advised(_ID, finding, "the network is not in the estate any more", ("read the estate again",))
    elif network.provider == "kubernetes":
        steps = ("let the network plugin record flows, or the flow logs of the cloud's network show its machines",)
        yield advised(_ID, finding, "a cluster has no flow log of its own that a plan could add", steps)
    elif network.provider == "gcp":
        yield _of_subnets(context.estate, network, finding)
    else:
        yield _of_network(context.estate, network, finding)


def _of_network(estate: Estate, network: Network, finding: Finding) -> Answer:
    own = [log for _, log in sorted(estate.flow_logs.items()) if log.target == network.id]
    if why := _there(estate, network, own):
        return advised(_ID, finding, why)
    model = _model(estate, network)
    if model is None:
        where = "storage account of the same region" if network.provider == "azure" else "bucket or log group"
        return advised(
            _ID,
            finding,
            f"no flow log of {network.scope} in {network.region} shows where records may go",
            (f"choose a {where} for the records, and add a flow log of {network.label} that records all traffic",),
        )
    name = name_for(network.id, model.destination)
    # Flow logs of Azure stand below the network watcher of their region, as the one does that is there.
    above, below, _ = model.id.lower().rpartition(_WATCHER)
    identifier = f"{model.id[: len(above)]}{_WATCHER}{name}" if below else new_id(network, name)
    return _proposal(network, finding, (_log(identifier, name, network, model.destination),))


def _there(estate: Estate, network: Network, own: list[FlowLog]) -> str:
    """Return why no flow log is to be added to a network; empty where one is."""
    seen = next((each for each in visibilities(estate) if each.network.id == network.id), None)
    if seen is None:
        return f"the flow logs of {network.label} were not read"
    if seen.full:
        return f"all traffic of {network.label} is recorded, and what is missing is not a flow log"
    whole = [log for log in own if log.traffic == "all" and not log.omits]
    if whole:
        log = whole[0]
        return f"{log.label} is to record all of it and does not deliver{': ' + log.reason if log.reason else ''}"
    if network.provider == "azure" and own:
        # https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview
        return f"{own[0].label} stands on it already, and a network takes one flow log"
    return ""


def _model(estate: Estate, network: Network) -> FlowLog | None:
    """Return a flow log beside which a new one can stand: of the place to which most of them surely deliver."""
    beside = [
        log
        for _, log in sorted(estate.flow_logs.items())
        if (log.provider, log.scope, log.region) == (network.provider, network.scope, network.region)
        and log.delivers is True
        and log.destination
        and log.kind == "flow-log"
    ]
    if not beside:
        return None
    counts = Counter(log.destination for log in beside)
    return min(beside, key=lambda log: (-counts[log.destination], log.destination, log.id))


def _of_subnets(estate: Estate, network: Network, finding: Finding) -> Answer:
    """Return the flow logs of the subnets that have none, which Google Cloud keeps in the subnet itself."""
    logged = {log.target: log for _, log in sorted(estate.flow_logs.items())}
    lacking = [
        subnet for subnet in estate.subnets_in(network.id) if subnet.kind not in UNRECORDED and subnet.id not in logged
    ]
    if not lacking:
        return advised(_ID, finding, f"every subnet of {network.label} that was read has a flow log")
    return _proposal(network, finding, tuple(_log_of_subnet(subnet) for subnet in lacking))


def _log_of_subnet(subnet: Subnet) -> FlowLog:
    found = _log(f"{subnet.id}/logConfig", subnet.name, subnet, _CLOUD_LOGGING)
    # What is stopped on its way in no flow log of Google Cloud shows: https://cloud.google.com/vpc/docs/flow-logs
    return FlowLog(
        id=found.id,
        kind=found.kind,
        name=found.name,
        region=found.region,
        target=found.target,
        traffic="accepted",
        delivers=True,
        destination=_CLOUD_LOGGING,
    )


def _log(identifier: str, name: str, target: Network | Subnet, destination: str) -> FlowLog:
    return FlowLog(
        id=identifier,
        kind="flow-log",
        name=name,
        region=target.region,
        target=target.id,
        traffic="all",
        delivers=True,
        destination=destination,
    )


def _proposal(network: Network, finding: Finding, logs: tuple[FlowLog, ...]) -> Proposal:
    places = "" if len(logs) == 1 else f" at {len(logs)} subnets"
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=network.id,
        summary=f"record all traffic of {network.label}{places}",
        changes=tuple(
            Change(
                edits=(AddFlowLog(log),),
                phase="prepare",
                reason=f"nothing records all traffic of {network.label}, so that nobody can tell who uses its rules",
                evidence=(*finding.evidence, f"records go to {log.destination}, where others arrive"),
                undo=_UNDO,
            )
            for log in logs
        ),
        safety="safe",
        risks=(_COSTS,),
    )


def _second_network() -> Estate:
    b = EstateBuilder()
    b.network("vpc-2", "10.9.0.0/16")
    b.put(
        "flow_logs",
        FlowLog(
            id=b.id("fl-2"),
            kind="flow-log",
            region="eu-west-1",
            target=b.id("vpc-2"),
            traffic="all",
            delivers=True,
            destination="arn:aws:s3:::company-flow-logs",
        ),
    )
    return b.build()


def _no_place() -> Estate:
    return EstateBuilder().build()


def _failing() -> Estate:
    b = EstateBuilder()
    b.flow_log("fl-1", delivers=False, reason="access error")
    return b.build()


def _azure_alone() -> Estate:
    return AzureBuilder().build()


def _gcp_one_subnet() -> Estate:
    b = GcpBuilder()
    b.machine("orders", "data", "10.2.2.4")
    b.flow_log("web")
    return b.build()


REMEDY = Remedy(
    id=_ID,
    answers=("missing-flow-logs", "partial-flow-logs"),
    propose=propose,
    examples=(
        RemedyExample(
            name="another network of the account is recorded, so that it is known where records may go",
            build=_second_network,
            check="missing-flow-logs",
            changes=(f"add flow log {name_for(EstateBuilder.id('vpc-1'), 'arn:aws:s3:::company-flow-logs')} of vpc-1",),
        ),
        RemedyExample(
            name="one of two subnets in Google Cloud has no flow log",
            build=_gcp_one_subnet,
            check="partial-flow-logs",
            changes=("add flow log data/logConfig (us-central1) of data (us-central1)",),
        ),
        RemedyExample(
            name="nothing tells where records may go",
            build=_no_place,
            check="missing-flow-logs",
            advice="shows where records may go",
        ),
        RemedyExample(
            name="a flow log is there and fails",
            build=_failing,
            check="partial-flow-logs",
            advice="does not deliver: access error",
        ),
        RemedyExample(
            name="an Azure network, and no flow log beside it",
            build=_azure_alone,
            check="missing-flow-logs",
            advice="shows where records may go",
        ),
    ),
    concept={
        "aws": "a flow log of the VPC that records all traffic",
        "azure": "a flow log of the virtual network, below the network watcher of its region",
        "gcp": "the flow logs of the subnets that have none",
    },
    absent={
        "kubernetes": "a cluster has no flow log of its own: its network plugin records flows where its owner installs "
        "that, or the flow logs of the cloud's network show its nodes"
    },
)
