"""Ports on which services listen, for records that prove nothing themselves: the lower *kind* of port is the server's.

https://www.iana.org/assignments/service-names-port-numbers/service-names-port-numbers.xhtml

Clients take ports from 32768 on with Linux, from 49152 on with Windows, macOS and by RFC 6335; from 1024 on at NAT
gateways and load balancers; and from 512 to 1023 with NFS and the r-commands, which take privileged ports.
"""

from __future__ import annotations

from typing import Final

__all__ = ["KNOWN_SERVICE", "SERVICE_PORTS", "difference_sql", "kind_sql"]

SERVICE_PORTS: Final = frozenset(
    {
        # Privileged ones of the range that NFS clients take as well.
        *(512, 513, 514, 515, 520, 521, 523, 540, 543, 544, 546, 547, 548, 554, 563, 585, 587, 591, 593, 623, 631, 636),
        *(639, 646, 647, 648, 660, 674, 691, 749, 751, 753, 754, 830, 833, 847, 853, 860, 861, 862, 873, 902, 903, 989),
        *(990, 991, 992, 993, 994, 995),
        # Databases, caches, search.
        *(1433, 1434, 1521, 1522, 1526, 1527, 2483, 2484, 3050, 3306, 5000, 5432, 5433, 5439, 6379, 6380, 6432, 7000),
        *(7001, 7199, 7473, 7474, 7687, 8086, 8087, 8091, 8092, 8093, 8123, 8182, 8529, 9042, 9160, 9200, 9300, 11207),
        *(11210, 11211, 16379, 26257, 26379, 27017, 27018, 27019, 28015, 29015, 33060, 50000),
        # Web, proxies and applications by habit.
        *(1080, 3000, 3001, 3128, 4000, 4200, 4443, 5001, 5601, 7080, 7443, 8000, 8001, 8008, 8009, 8010, 8042, 8080),
        *(8081, 8082, 8083, 8084, 8085, 8088, 8089, 8090, 8096, 8118, 8161, 8180, 8181, 8222, 8280, 8281, 8443, 8444),
        *(8500, 8501, 8761, 8834, 8880, 8888, 8983, 9000, 9001, 9080, 9090, 9091, 9443, 9990, 10000, 10080, 10443),
        *(15672, 50051, 50070, 61616),
        # Queues, streams and coordination.
        *(1883, 2181, 2888, 3888, 4222, 4369, 5222, 5269, 5671, 5672, 6222, 6650, 8883, 9092, 9093, 9094, 9096, 9098),
        *(14222, 61613, 61614),
        # Administration, directory, monitoring.
        *(1270, 1311, 1723, 1812, 1813, 2375, 2376, 2377, 3268, 3269, 3389, 4505, 4506, 5044, 5060, 5061, 5353, 5355),
        *(5666, 5667, 5900, 5901, 5985, 5986, 6514, 8125, 8126, 8140, 8200, 8201, 8300, 8301, 8302, 8600, 9100, 9115),
        *(9121, 9187, 9997, 10050, 10051, 12201, 24224, 24231),
        # Kubernetes, meshes, overlays.
        *(2379, 2380, 4240, 4244, 4789, 6081, 6443, 6783, 8472, 9153, 9345, 9403, 10248, 10249, 10250, 10255, 10256),
        *(10257, 10259, 15000, 15001, 15006, 15008, 15010, 15012, 15014, 15017, 15020, 15021, 15090, 51820, 51821),
        # Files, storage and remote desktops.
        *(1194, 1701, 2049, 3260, 3478, 4500, 4172, 6789, 6800, 7946, 8020, 9870, 10809, 20048, 24007),
    }
)
"""Ports from 512 on that services are known to listen on."""

_PRIVILEGED_CLIENTS: Final = (2049,)
"""Services above 1023 whose clients take privileged ports: as sure as a port below 512, so that those never win."""

_HIGHEST: Final = 32_767
"""The highest port that is not of the highest kind, unless a service's."""

_FEW: Final = 24
"""So many ports are looked for in one text."""

KNOWN_SERVICE: Final = 1
"""The highest kind of a port that is a service's by itself."""


def kind_sql(port: str) -> str:
    """Return the SQL of a port's kind: the lower it is, the surer that a service listens there.

    0: below 512, a service's port below 1024, or NFS; 1: a service's port above; 2: any other below 1024; 3: any other
    up to 32767; 4: above. Ports of one kind do not tell who is the server.
    """
    # The ports of clients are the highest ones: most rows are settled by the first comparisons.
    return (
        f"CASE WHEN {port} > {_HIGHEST} THEN {_listed(port, _below(_HIGHEST + 1, 65_536), 1, 4)} "
        f"WHEN {port} < 512 THEN 0 WHEN {port} < 1024 THEN {_listed(port, _below(512, 1024), 0, 2)} "
        f"WHEN {' OR '.join(f'{port} = {number}' for number in _PRIVILEGED_CLIENTS)} THEN 0 "
        f"ELSE {_listed(port, _below(1024, _HIGHEST + 1), 1, 3)} END"
    )


def difference_sql(one: str, other: str) -> str:
    """Return the SQL of the difference between the kinds of two ports, or of its sign; 0 where one of them is NULL.

    Nearly always one port is of the highest kind, and the other is not: that is looked at first.
    """
    high = " AND ".join(f"{{0}} <> {number}" for number in _below(_HIGHEST + 1, 65_536))
    above = " AND ".join(f"{{0}} <> {number}" for number in _PRIVILEGED_CLIENTS)
    settled = (
        f"{{0}} > {_HIGHEST} AND {{1}} <= {_HIGHEST} AND {high}",
        # NAT gateways and load balancers take any port from 1024 on.
        f"{{0}} > 1023 AND {{1}} < 512 AND {above}",
    )
    cases = " ".join(
        f"WHEN {each.format(*ports)} THEN {sign}"
        for each in settled
        for sign, ports in ((1, (one, other)), (-1, (other, one)))
    )
    return f"CASE {cases} WHEN {one} IS NULL OR {other} IS NULL THEN 0 ELSE ({kind_sql(one)}) - ({kind_sql(other)}) END"


def _below(first: int, last: int) -> tuple[int, ...]:
    """The services' ports from one number up to another, which is none of them."""
    return tuple(sorted(number for number in SERVICE_PORTS if first <= number < last))


def _listed(port: str, numbers: tuple[int, ...], is_one: int, is_none: int) -> str:
    """The SQL of one of two numbers, by whether a port is among some; it has no fewer digits than the least of them.

    Its text is looked for in a text of them: a comparison with each would take longer to plan than a small log to read,
    and of a list after IN DuckDB makes a join of all rows. What has as many digits can only be a whole number of them.
    """
    digits = 10 ** len(str(numbers[0]))
    place = next((at for at, number in enumerate(numbers) if number >= digits), len(numbers) // 2)
    if numbers[-1] < digits and len(numbers) <= _FEW:
        listed = " ".join(map(str, numbers))
        return f"CASE WHEN STRPOS('{listed}', CAST({port} AS VARCHAR)) > 0 THEN {is_one} ELSE {is_none} END"
    lower, upper = (_listed(port, part, is_one, is_none) for part in (numbers[:place], numbers[place:]))
    return f"CASE WHEN {port} < {min(digits, numbers[place])} THEN {lower} ELSE {upper} END"
