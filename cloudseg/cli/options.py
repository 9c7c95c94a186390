"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AssumeRole",
    "AwsOrganization",
    "Cluster",
    "ConfigFile",
    "Context",
    "ExternalId",
    "From",
    "GcpFolder",
    "GcpOrganization",
    "Kubeconfig",
    "ManagementGroup",
    "Profile",
    "Project",
    "Quiet",
    "Region",
    "Sources",
    "Subscription",
    "To",
    "Verbose",
]

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE...",
        help="What to read: `aws`, `azure`, `gcp`, `kubernetes`, `demo` (a bundled estate), the path of a snapshot, a "
        "file or folder of Kubernetes manifests, or `-` for manifests on standard input. Several make one estate.",
        show_default=False,
    ),
]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--from", help="Who opens the connection: an id, a name, tag=value, an address; repeatable.", metavar="END"
    ),
]
To = Annotated[
    list[str] | None,
    typer.Option("--to", help="Who is to take it: as for --from; repeatable.", metavar="END"),
]
Profile = Annotated[
    list[str] | None,
    typer.Option(help="AWS: a named profile; repeat it for several accounts.", metavar="NAME", show_default=False),
]
Region = Annotated[
    list[str] | None,
    typer.Option(help="AWS: a region to read; repeatable. All enabled ones without it.", metavar="REGION"),
]
AssumeRole = Annotated[
    list[str] | None,
    typer.Option(help="AWS: the ARN of a role to assume; repeatable, one account each.", metavar="ARN"),
]
ExternalId = Annotated[str | None, typer.Option(help="AWS: the external id that the role asks for.", metavar="ID")]
AwsOrganization = Annotated[
    bool,
    typer.Option("--aws-organization", help="AWS: read every active account of the organisation, by --assume-role."),
]
Context = Annotated[
    list[str] | None,
    typer.Option(
        help="Kubernetes: a context of the kubeconfig; repeatable, one cluster each. [default: the current one]",
        metavar="NAME",
        show_default=False,
    ),
]
Kubeconfig = Annotated[
    str | None,
    typer.Option(help="Kubernetes: the kubeconfig. [default: $KUBECONFIG or ~/.kube/config]", metavar="FILE"),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        help="Kubernetes: the name of the cluster, of manifests too. [default: as in the kubeconfig; `manifests`]",
        metavar="NAME",
    ),
]
Subscription = Annotated[
    list[str] | None,
    typer.Option(help="Azure: a subscription, by id or name; repeatable. All visible ones without it.", metavar="ID"),
]
ManagementGroup = Annotated[
    list[str] | None,
    typer.Option(help="Azure: a management group, for every subscription below it; repeatable.", metavar="ID"),
]
Project = Annotated[
    list[str] | None,
    typer.Option(help="GCP: a project, by id; repeatable. [default: the project of the credentials]", metavar="ID"),
]
GcpFolder = Annotated[
    list[str] | None,
    typer.Option("--gcp-folder", help="GCP: a folder, for every project below it; repeatable.", metavar="NUMBER"),
]
GcpOrganization = Annotated[
    list[str] | None,
    typer.Option(
        "--gcp-organization", help="GCP: an organisation, for every project below it; repeatable.", metavar="NUMBER"
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration; else cloudseg.toml or pyproject.toml here.", metavar="FILE"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary on stderr.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr: what was read, every gap.")]
