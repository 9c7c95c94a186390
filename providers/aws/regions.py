"""Which regions of an account to read."""

import difflib
from collections.abc import Sequence
from concurrent.futures import Future

import msgspec

from cloudseg.errors import CollectError
from cloudseg.providers.aws.calls import Answer, call
from cloudseg.providers.aws.clients import Clients
from cloudseg.providers.aws.failures import FAILURES, UNREADABLE, detail_of, reason_of
from cloudseg.providers.aws.options import AwsOptions
from cloudseg.snapshot import Reason

__all__ = ["Choice", "Problem", "choose_regions", "list_regions", "no_such_region"]

_LIKENESS = 0.75
"""Between a name and the region that was probably meant; `eu-west-1` and `eu-wset-1` have 0.89."""
_FAMILIAR = ("us-east-1", "eu-west-1", "ap-southeast-1")


class Problem(msgspec.Struct, frozen=True):
    """Why a region is not read, or why it is not known which ones are enabled."""

    region: str
    reason: Reason
    detail: str


class Choice(msgspec.Struct, frozen=True):
    """The regions to read, sorted, and what stands in the way of others."""

    regions: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


def list_regions(clients: Clients) -> Answer:
    """Ask for the regions there are, enabled or not."""
    return call(clients.need("ec2"), "describe_regions", AllRegions=True)


def choose_regions(clients: Clients, options: AwsOptions, listed: Future[Answer]) -> Choice:
    """The chosen regions, or all that are enabled for the account, by the answer of ``list_regions``.

    Where the account may not list its regions, botocore's list stands in, with a problem that says so.

    Raises:
        CollectError: a chosen region does not exist.
    """
    known = clients.regions_of("ec2")
    try:
        answer = listed.result()
    except (*FAILURES, *UNREADABLE) as error:
        problem = Problem("global", reason_of(error), f"the enabled regions are unknown: {detail_of(error)}")
        _refuse_unknown(options.regions, known)
        return Choice(tuple(sorted(set(options.regions or known))), () if options.regions else (problem,))
    enabled = _enabled(answer)
    offered = {**dict.fromkeys(known, True), **enabled}
    if not options.regions:
        in_partition = [region for region, on in enabled.items() if on and _fits(region, known)]
        return Choice(tuple(sorted(in_partition)))
    _refuse_unknown(options.regions, sorted(offered))
    off = [region for region in sorted(set(options.regions)) if not offered[region]]
    detail = "the region is not enabled for this account; enable it, or leave it out of --region"
    regions = tuple(region for region in sorted(set(options.regions)) if offered[region])
    return Choice(regions, tuple(Problem(region, "unsupported", detail) for region in off))


def _enabled(answer: Answer) -> dict[str, bool]:
    regions = answer.get("Regions")
    return {
        str(region["RegionName"]): region.get("OptInStatus") != "not-opted-in"
        for region in (regions if isinstance(regions, list) else [])
        if isinstance(region, dict)
    }


def _fits(region: str, known: Sequence[str]) -> bool:
    # An emulator lists the regions of every partition; a real account sees its own, new ones included.
    return region in known or not region.startswith(("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-"))


def _refuse_unknown(chosen: Sequence[str], offered: Sequence[str]) -> None:
    for region in chosen:
        if region not in offered:
            raise CollectError(f"AWS region {region!r} does not exist; {no_such_region(region, offered)}")


def no_such_region(region: str, offered: Sequence[str]) -> str:
    """What to do about a region that is not among those that are offered: its near neighbours, or where to look."""
    plain = region.strip().lower()
    near = [plain] if plain in offered else difflib.get_close_matches(plain, offered, n=3, cutoff=_LIKENESS)
    if near:
        return f"did you mean {', '.join(near)}?"
    familiar = [known for known in _FAMILIAR if known in offered] or sorted(offered)[:3]
    return f"there are {len(offered)}, {', '.join(familiar)} among them; to see all: aws account list-regions"
