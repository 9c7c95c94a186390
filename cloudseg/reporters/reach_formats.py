"""The formats of who reaches whom, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reporters import reach_csv, reach_graph, reach_json, reach_table

if TYPE_CHECKING:
    from cloudseg.reporters.interface import Reporter
    from cloudseg.reporters.reach_answer import ReachAnswer

__all__ = ["REACH_FORMATS"]

REACH_FORMATS: dict[str, Reporter[ReachAnswer]] = {
    reporter.name: reporter
    for reporter in (
        reach_table.REPORTER,
        reach_json.REPORTER,
        reach_csv.REPORTER,
        reach_graph.DOT,
        reach_graph.MERMAID,
    )
}
