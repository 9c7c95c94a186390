"""Whatever answers about application gateways, bastion hosts and scale sets hold, translating them never raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from cloudseg.cli.sources import translate
from tests.azure.agreeing import snapshot_of
from tests.azure.raw_gateways import GATEWAY_MANAGER, bastion, gateway_estate, scale_set
from tests.spoiling import assert_told, examples, mutated

if TYPE_CHECKING:
    from tests.azure.raw import Raw

JUNK = st.sampled_from(
    [None, True, 0, -1, 70000, 1.5, "", "x", "10.0.0.0/33", [], [None], {}, {"id": None}, {"id": ""}]
)


def _whole() -> Raw:
    raw = gateway_estate(
        GATEWAY_MANAGER,
        listeners=(("public", 443, "web", 8080), ("private", 8443, "names", 8081)),
        private="10.1.9.5",
        addresses={"names": [{"fqdn": "a.example"}, {"ipAddress": "10.1.2.4"}]},
    )
    raw.subnet("v1", "AzureBastionSubnet", "10.1.8.0/26")
    bastion(raw, "bast", "AzureBastionSubnet", public="pip-agw")
    raw.asg("asg")
    scale_set(raw, "web-set", nsg="nsg-agw", asgs=("asg",))
    return raw


@st.composite
def _answers(draw: st.DrawFn) -> dict[tuple[str, ...], object]:
    answers = _whole().answers
    chosen = draw(st.sampled_from(["application_gateways", "bastion_hosts", "virtual_machine_scale_sets"]))
    return {place: mutated(draw, each, JUNK) if chosen in place else each for place, each in answers.items()}


@examples(150)
@given(_answers())
def test_translation_never_raises_and_every_gap_has_its_reason(answers: dict[tuple[str, ...], object]) -> None:
    assert_told(translate(snapshot_of(answers)))


def test_whole_answers_translate_without_a_gap_about_them() -> None:
    estate = translate(snapshot_of(_whole().answers))
    assert estate.gaps == ()
    assert len(estate.forwarders) == 1
    assert len(estate.templates) == 1
    assert {each.role for each in estate.interfaces.values()} == {"application_gateway", "bastion", "interface"}
