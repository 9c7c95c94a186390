"""One check, run alone over a small estate."""

from collections.abc import Callable

import pytest

from cloudseg.checks.interface import AuditContext, Check, ParameterValue
from cloudseg.findings import Finding
from cloudseg.intent import Intent
from cloudseg.model import Estate
from cloudseg.observed.observations import Observations
from cloudseg.observed.observed import Observed
from cloudseg.reach.internet import InternetView
from cloudseg.reach.reachability import Reachability
from cloudseg.waivers import WaiverState

Findings = Callable[..., list[Finding]]


@pytest.fixture
def findings() -> Findings:
    """Return the findings of one check; keywords are settings of it."""

    def run(
        check: Check,
        estate: Estate,
        waivers: tuple[WaiverState, ...] = (),
        statuses: dict[str, str] | None = None,
        intent: Intent | None = None,
        flows: Observations | None = None,
        **settings: ParameterValue,
    ) -> list[Finding]:
        context = AuditContext(
            estate=estate,
            check=check,
            settings={parameter.name: parameter.default for parameter in check.parameters} | settings,
            internet=InternetView(estate),
            as_of=estate.taken_at,
            waivers=waivers,
            statuses=statuses or {},
            intent=intent,
            observed=None if flows is None else Observed(flows, estate, lambda: Reachability(estate)),
        )
        return list(check.run(context))

    return run
