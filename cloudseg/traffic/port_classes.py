"""Classes of ports: what stands behind well-known port numbers, and which of them give control over a machine.

Port numbers: https://www.iana.org/assignments/service-names-port-numbers/ and the products' own documentation.
"""

from __future__ import annotations

from typing import Final

from cloudseg.traffic.traffic import Traffic

__all__ = [
    "ADMINISTRATION",
    "ANY_PORT",
    "BARE_ADMINISTRATION",
    "DATABASES",
    "PING",
    "REMOTE_DESKTOP",
    "SHELLS_AND_FILES",
    "WEB",
]

BARE_ADMINISTRATION: Final = Traffic.parse("tcp/2375-2376, tcp/2379-2380, tcp/10250, tcp/10255")
"""Interfaces of administration that often ask for no password: Docker, etcd, kubelet."""

REMOTE_DESKTOP: Final = Traffic.parse(
    "tcp/135, tcp/137-139, tcp/445, tcp/3389, tcp/5900-5901, tcp/5985-5986, udp/137-138, udp/3389"
)
"""RDP, VNC, WinRM, SMB and what belongs to them."""

DATABASES: Final = Traffic.parse(
    "tcp/1433-1434, udp/1434, tcp/1521, tcp/1830, tcp/2181, tcp/2483-2484, tcp/3306, tcp/4333, tcp/5432, tcp/5439, "
    "tcp/5984, tcp/6379-6380, tcp/7000-7001, tcp/7199, tcp/7474, tcp/7687, tcp/8086, tcp/8111, tcp/8182, "
    "tcp/9042, tcp/9092, tcp/9094, tcp/9096, tcp/9098, tcp/9111, tcp/9160, tcp/9192, tcp/9194, tcp/9196, "
    "tcp/9198, tcp/9200, tcp/9300, tcp/11211, udp/11211, tcp/27017-27019, tcp/28015, tcp/33060, tcp/50000"
)
"""Databases, caches and queues."""

SHELLS_AND_FILES: Final = Traffic.parse(
    "tcp/20-23, tcp/111, udp/111, tcp/389, udp/389, tcp/636, tcp/2049, udp/2049, tcp/3268-3269, udp/69, udp/161"
)
"""SSH, telnet, FTP, NFS, LDAP and what belongs to them."""

WEB: Final = Traffic.parse("tcp/80, tcp/443, udp/443")
"""HTTP and HTTPS."""

PING: Final = Traffic.parse("icmp/8, icmpv6/128")
"""Echo requests."""

ADMINISTRATION: Final = BARE_ADMINISTRATION | REMOTE_DESKTOP | Traffic.parse("tcp/22-23")
"""What gives control over a machine: SSH, telnet, RDP, VNC, WinRM, SMB, Docker, etcd, kubelet."""

ANY_PORT: Final = Traffic.protocol("icmp").complement() & Traffic.protocol("icmpv6").complement()
"""Everything but ICMP: its messages have no port behind which a program could be taken over."""
