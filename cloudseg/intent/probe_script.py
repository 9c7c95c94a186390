"""The script that tries the connections of pods: it says which came out as expected, and its exit code tells."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from cloudseg.intent.probes import pod_owner
from cloudseg.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.intent.probes import Probe

__all__ = ["probe_script"]

_INNER: Final = """\
closed_or_open() { if "$@" >/dev/null 2>&1; then echo open; else echo closed; fi; }
if nc -h 2>&1 | grep -q -e "-z"; then closed_or_open nc -z -w 3 "$1" "$2"
elif command -v bash >/dev/null && command -v timeout >/dev/null; then
  closed_or_open timeout 3 bash -c "exec 3<>/dev/tcp/\\$0/\\$1" "$1" "$2"
else echo "no nc and no bash"; fi
"""
_HEAD: Final = """\
#!/bin/sh
# Connections that pods try, and whether the intent allows them. Written by `cloudseg intent --probes`.
# Addresses are those of {taken_at}: write the script anew after a rollout.
#
# Usage: {usage}
#   It runs in the current context of kubectl, or of $KUBECTL, a kubectl with options of its own.
# Exit codes: 0 everything is as expected; 1 something is not; 2 wrong usage; 3 something could not be tried.
set -u
kubectl=${{KUBECTL:-kubectl}}
{choice}
right=0 wrong=0 untried=0
inner={inner}

# probe CLUSTER NAMESPACE OWNER HOST PORT EXPECTED WORDS
probe() {{
  [ "$1" = "$cluster" ] || return 0
  # Not quoted: it may hold options.
  # shellcheck disable=SC2086
  answer=$($kubectl exec --namespace="$2" "$3" -- sh -c "$inner" sh "$4" "$5" </dev/null 2>/dev/null) || answer=
  case "$answer:$6" in
    open:allowed | closed:blocked) right=$((right + 1)); state=ok ;;
    open:blocked | closed:allowed) wrong=$((wrong + 1)); state=WRONG ;;
    *) untried=$((untried + 1)); state=untried ;;
  esac
  printf '%s\\t%s\\t%s/%s to %s port %s: %s\\n' "$state" "$6" "$2" "$3" "$4" "$5" "$7"
}}

"""
_FOOT: Final = """
echo "$right as expected, $wrong not, $untried could not be tried"
[ "$wrong" -eq 0 ] || exit 1
[ "$untried" -eq 0 ] || exit 3
"""


def probe_script(probes: Iterable[Probe], taken_at: str) -> str:
    """Return a shell script that tries the TCP connections of pods.

    A pod without a shell, or without a tool that connects, counts as not tried, never as blocked.

    Args:
        probes: the connections; those of others than pods, and UDP, whose silence tells nothing, are left out.
        taken_at: when the estate was read, ISO 8601.
    """
    lines = list(_lines(probes))
    clusters = sorted({cluster for cluster, _ in lines})
    if len(clusters) == 1:
        usage, choice = "sh probes.sh", f"cluster={shlex.quote(visible(clusters[0]))}"
    else:
        shown = " ".join(shlex.quote(visible(each)) for each in clusters)
        usage = f"sh probes.sh CLUSTER    (one of {shown})" if clusters else "sh probes.sh    (no pod is to be tried)"
        missing = 'echo "name the cluster of the current context" >&2; exit 2'
        choice = f'cluster=${{1-}}\n[ -n "$cluster" ] || {{ {missing}; }}' if clusters else "cluster="
    # A snapshot may say anything: no line of the script is to begin with it.
    when = visible(taken_at) or "an unknown day"
    head = _HEAD.format(taken_at=when, usage=usage, choice=choice, inner=shlex.quote(_INNER))
    return head + "\n".join(line for _, line in lines) + _FOOT


def _lines(probes: Iterable[Probe]) -> Iterator[tuple[str, str]]:
    """Yield calls, each with its cluster."""
    for probe in probes:
        owner = None if probe.source is None else pod_owner(probe.source)
        if owner is None or probe.protocol != "tcp":
            continue
        words = (*owner, probe.target_address, str(probe.port), probe.expected, probe.why)
        yield owner.cluster, " ".join(("probe", *(shlex.quote(visible(word)) for word in words)))
