"""What a run over live clusters is asked to read."""

from typing import Final

import msgspec

from cloudseg.errors import InputError

__all__ = ["KubernetesOptions", "check_cluster", "problem_of_cluster"]

_LONGEST_CLUSTER: Final = 200


class KubernetesOptions(msgspec.Struct, frozen=True):
    """Which clusters to read, as whom, and how patiently. Times are in seconds.

    Without ``contexts`` the current one is read, or the cluster around this process where there is no kubeconfig at
    all. Without ``kubeconfig`` the files of the variable KUBECONFIG are read, or ``~/.kube/config``. ``cluster`` is
    the name that one cluster gets in reports, in place of its own. ``page`` is the number of objects in an answer;
    ``attempts`` includes the first; ``first_wait`` doubles with each further one; ``longest_wait`` is the most that a
    server may ask for. ``narrow_lists`` is the number of lists that are asked for namespace by namespace, at most,
    where a list of all namespaces is denied. ``answer_timeout`` is for one answer, however slowly it trickles in;
    ``total_timeout`` is for a cluster.
    """

    contexts: tuple[str, ...] = ()
    kubeconfig: str | None = None
    cluster: str | None = None
    max_workers: int = 16
    page: int = 500
    narrow_lists: int = 2000
    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 30.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    answer_timeout: float = 120.0
    total_timeout: float = 1200.0


def check_cluster(name: str) -> None:
    """Refuse a name that no cluster can have in a report.

    Raises:
        InputError: it is empty, too long, or holds what parts it from what is in the cluster.
    """
    if problem := problem_of_cluster(name):
        raise InputError(f"--cluster {name!r}: {problem}" if name else f"--cluster: {problem}")


def problem_of_cluster(name: str) -> str:
    """Return why a name is none for a cluster, in words; nothing where it is one."""
    if not name or len(name.encode("utf-8", "replace")) > _LONGEST_CLUSTER or not name.isprintable():
        return f"a name has up to {_LONGEST_CLUSTER} letters, digits and signs"
    return "a colon parts the name from what is in the cluster; leave it out" if ":" in name else ""
