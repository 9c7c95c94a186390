"""Whatever answers about VPN hold, translating and linking them never raises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudseg.cli.sources import translate
from tests.azure.agreeing import snapshot_of as snapshot_of_azure
from tests.gcp.agreeing import snapshot_of as snapshot_of_google
from tests.spoiling import assert_told, examples, mutated
from tests.tunnels.test_other_ways import azure, two_networks

JUNK = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", "10.0.0.0/33", "10.1.0.0/16", [], [None], {}, {"id": None}, {"id": ""}]
)
_OF_GOOGLE = ("vpn_gateways", "vpn_tunnels", "routes")
_OF_AZURE = ("virtual_network_gateways", "local_network_gateways", "virtual_network_gateway_connections")

Answers = dict[tuple[str, ...], object]


@st.composite
def _of_google(draw: st.DrawFn) -> Answers:
    chosen, answers = draw(st.sampled_from(_OF_GOOGLE)), two_networks(named=draw(st.booleans())).answers
    return {place: mutated(draw, each, JUNK) if chosen in place else each for place, each in answers.items()}


@st.composite
def _of_azure(draw: st.DrawFn) -> Answers:
    chosen, answers = draw(st.sampled_from(_OF_AZURE)), azure(bgp=draw(st.booleans())).answers
    return {place: mutated(draw, each, JUNK) if chosen in place else each for place, each in answers.items()}


@examples(60)
@given(_of_google())
def test_answers_of_google_cloud(answers: Answers) -> None:
    assert_told(translate(snapshot_of_google(answers)))


@examples(60)
@given(_of_azure())
def test_answers_of_azure(answers: Answers) -> None:
    assert_told(translate(snapshot_of_azure(answers)))
