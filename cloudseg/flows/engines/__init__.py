"""The same conversations from a cloud's own engine: the query goes to the records, and only sightings come back."""

from __future__ import annotations

from typing import Final

from cloudseg.flows.engines.interface import Answer, Engine, Question, Window, window_of
from cloudseg.flows.engines.results import explain, run

__all__ = ["ENGINES", "Answer", "Engine", "Question", "Window", "explain", "run", "window_of"]

ENGINES: Final = {
    "athena": "Amazon Athena, over a table of VPC or transit gateway flow logs",
    "bigquery": "Google BigQuery, over a table that a log sink writes",
    "loganalytics": "Azure Log Analytics, over the table NTANetAnalytics of traffic analytics",
}
"""The engines by name, and what each is asked about."""
