"""What happens in the bundled estate: the table from which its flow logs are written."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AWS", "AWS_DEV", "AWS_NAT", "AZURE", "AZURE_NSG", "GCP", "GCP_FIREWALL", "HUBBLE", "NAMES", "Talk"]

END = datetime(2026, 11, 20, tzinfo=UTC)
DAYS = 35
_PATTERNS = {"daily": range(DAYS), "weekly": range(3, DAYS, 7), "nights": range(1, DAYS, 2), "month-end": (15, 16)}
_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}


class Talk(NamedTuple):
    """A conversation that happens again and again.

    Attributes:
        when: ``daily``, ``nights`` (every other day), ``weekly``, ``month-end``, or days before the end: ``4,5``.
        source: the interface that opens it, by name; an address outside as it is.
        target: the interface that takes it.
        traffic: ``tcp/443``.
        verdict: ``accepted``; ``refused`` on its way into the target; ``kept in``: refused on its way out of the
            source; ``open``: accepted, and opened before the first record.
    """

    when: str
    source: str
    target: str
    traffic: str
    verdict: str = "accepted"

    @property
    def protocol(self) -> int:
        """The IANA number."""
        return _PROTOCOLS[self.traffic.partition("/")[0]]

    @property
    def port(self) -> int:
        """The responder's port; 0 for protocols without."""
        return int(self.traffic.partition("/")[2] or 0)

    def moments(self) -> Iterator[tuple[int, int]]:
        """Yield the second at which each connection begins, and the client's port."""
        days = _PATTERNS.get(self.when) or [DAYS - int(day) for day in self.when.split(",")]
        for day in days:
            mark = int(hashlib.sha256(repr((self, day)).encode()).hexdigest(), 16)
            begin = END - timedelta(days=DAYS - day) + timedelta(seconds=mark % 82_800 + 600)
            yield int(begin.timestamp()), 33_000 + mark // 82_800 % 27_000


# The shop. What the tiers open to each other is what its intent says; the rest is what people find in such logs.
AWS = (
    Talk("daily", "192.0.2.77", "ELB app/bookshop-prod/06e226a9abab47f9@10.20.0.20", "tcp/443"),
    Talk("daily", "192.0.2.140", "ELB app/bookshop-prod/06e226a9abab47f9@10.20.1.20", "tcp/443"),
    Talk("weekly", "192.0.2.9", "ELB app/bookshop-prod/06e226a9abab47f9@10.20.0.20", "tcp/80"),
    # Intended, and no rule lets it out.
    Talk("daily", "ELB app/bookshop-prod/06e226a9abab47f9@10.20.0.20", "bookshop-prod-web-1", "tcp/8443", "kept in"),
    Talk("daily", "ELB app/bookshop-prod/06e226a9abab47f9@10.20.1.20", "bookshop-prod-web-2", "tcp/8443", "kept in"),
    Talk("daily", "bookshop-prod-web-1", "bookshop-prod-app-1", "tcp/8080"),
    Talk("daily", "bookshop-prod-web-1", "bookshop-prod-app-2", "tcp/8080"),
    Talk("daily", "bookshop-prod-web-2", "bookshop-prod-app-2", "tcp/8080"),
    Talk("daily", "bookshop-prod-app-1", "RDSNetworkInterface@10.20.30.21", "tcp/5432"),
    # A pool of connections that was there before the first record.
    Talk("daily", "bookshop-prod-app-2", "RDSNetworkInterface@10.20.30.21", "tcp/5432", "open"),
    Talk("daily", "bookshop-prod-app-1", "ElastiCache bookshop-prod-cache-001", "tcp/6379"),
    Talk("daily", "bookshop-prod-app-2", "ElastiCache bookshop-prod-cache-001", "tcp/6379"),
    Talk("nights", "bookshop-prod-app-1", "ES bookshop-prod-search", "tcp/443", "refused"),
    Talk(
        "daily", "bookshop-prod-app-1", "EFS mount target for fs-06625fc6a5c5bdfa0 (fsmt-01dce0c333feda13b)", "tcp/2049"
    ),
    Talk("weekly", "198.51.100.4", "bookshop-prod-jump", "tcp/22"),
    Talk("weekly", "bookshop-prod-jump", "bookshop-prod-web-1", "tcp/22"),
    Talk("weekly", "bookshop-prod-jump", "bookshop-prod-app-1", "tcp/22", "kept in"),
    # Nobody wrote these down.
    Talk("nights", "bookshop-prod-cron", "bookshop-prod-batch-1", "tcp/9000"),
    Talk("month-end", "bookshop-prod-stock-import", "bookshop-prod-batch-1", "tcp/9000"),
    # Nobody meant that.
    Talk("weekly", "bookshop-prod-web-2", "RDSNetworkInterface@10.20.30.21", "tcp/5432", "kept in"),
    Talk("nights", "192.0.2.201", "RDSNetworkInterface@10.20.0.61", "tcp/5432"),
    Talk("4", "192.0.2.250", "bookshop-prod-jump", "tcp/3389", "refused"),
    Talk("4", "192.0.2.250", "bookshop-prod-jump", "tcp/445", "refused"),
    Talk("4", "192.0.2.250", "bookshop-prod-jump", "tcp/23", "refused"),
    Talk("4", "192.0.2.250", "bookshop-prod-image-origin", "tcp/3389", "refused"),
)
# Through the gateway for translation: its own interface reports both legs.
AWS_NAT = (Talk("weekly", "bookshop-prod-batch-1", "192.0.2.33", "tcp/443"),)
AWS_DEV = (
    Talk("daily", "bookshop-dev-app-1", "RDSNetworkInterface@10.60.10.31", "tcp/5432"),
    Talk("weekly", "198.51.100.4", "bookshop-dev-windows", "tcp/3389"),
    Talk("2,3,4", "192.0.2.250", "bookshop-dev-windows", "tcp/3389"),
)
AZURE = (
    Talk("daily", "web-1-nic", "app-1-nic", "tcp/8080"),
    Talk("daily", "web-2-nic", "app-2-nic", "tcp/8080"),
    Talk("daily", "app-1-nic", "db-1-nic", "tcp/5432"),
    Talk("daily", "app-2-nic", "db-1-nic", "tcp/5432"),
    Talk("nights", "app-1-nic", "secrets-pe.nic", "tcp/443"),
    Talk("weekly", "report-2-nic", "db-1-nic", "tcp/5432"),
    Talk("weekly", "report-1-nic", "app-1-nic", "tcp/9100", "refused"),
    Talk("weekly", "198.51.100.70", "transfer-1-nic", "tcp/990"),
    Talk("5", "192.0.2.250", "transfer-1-nic", "tcp/3389", "refused"),
    Talk("weekly", "web-1-nic", "db-1-nic", "tcp/5432"),
)
AZURE_NSG = (
    Talk("weekly", "198.51.100.4", "jump-nic", "tcp/22"),
    Talk("5", "192.0.2.250", "jump-nic", "tcp/3389"),
)
GCP = (
    Talk("daily", "recs-web-1", "recs-api-1", "tcp/8080"),
    Talk("daily", "recs-web-1", "recs-api-2", "tcp/8080"),
    Talk("daily", "recs-api-1", "recs-features", "tcp/6379"),
    Talk("daily", "recs-api-2", "recs-index", "tcp/9200"),
    Talk("nights", "recs-trainer-1", "recs-features", "tcp/6379"),
    Talk("weekly", "recs-jump", "recs-api-1", "tcp/22"),
    Talk("weekly", "recs-windows", "recs-features", "tcp/6379"),
)
GCP_FIREWALL = (Talk("6", "192.0.2.250", "recs-jump", "tcp/3389", "refused"),)
HUBBLE = (
    Talk("daily", "bookshop/storefront-52a7169f78-52b2f", "bookshop/catalogue-b44089cfea-c2676", "tcp/8080"),
    Talk("daily", "bookshop/catalogue-b44089cfea-c2676", "bookshop/catalogue-db-0", "tcp/5432"),
    Talk("daily", "bookshop/storefront-52a7169f78-52b2f", "kube-system/coredns-6da73e2b97-6c884", "udp/53"),
    Talk("nights", "monitoring/prometheus-0e4ab7e487-4b49d", "kube-system/coredns-6da73e2b97-6c884", "tcp/9153"),
    # The policies of today do not let it through.
    Talk("weekly", "reporting/dashboards-7e6c0d903e-610a2", "bookshop/catalogue-db-0", "tcp/5432"),
    Talk("3,4", "staging/storefront-42fc210a15-e7cb5", "bookshop/catalogue-db-0", "tcp/5432", "refused"),
)

# What the machines of the shop asked their resolver for before some of these conversations.
NAMES = (
    (AWS_NAT[0], "feeds.publishers.example"),
    (next(talk for talk in AWS if talk.target.startswith("RDSNetworkInterface")), "orders-db.bookshop.internal"),
)
