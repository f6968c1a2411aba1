"""A neuron that is NaN: said, recorded, and nobody else's; a component behind it is answered with why."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.faults.machine import Armed, broken_neuron
from store.database import open_store
from tests.labelling import Labelled, Place

NAN, BESIDE, BEHIND = "vision.3.mlp.0", "vision.3.mlp.1", "language.2.mlp.0"


@pytest.mark.parametrize("value", [float("nan")])
def test_a_neuron_without_numbers_is_abstained_from_with_the_reason_and_never_scored(
    labelled: Labelled, tmp_path: Path, value: float
) -> None:
    place, armed = Place(tmp_path, tmp_path / "cache"), Armed()
    with broken_neuron(value, armed):
        words = ("label", "tableau-llava", "--components", f"{NAN},{BESIDE},{BEHIND}")
        said = place.says(*words, "--images", "tableau:40/24/40", "--max-calls", "12", "--json")
    assert armed.met > 0 and (said.code, said.json["status"]) == (0, "done"), said.err
    told = {one["component"]: one for one in said.json["descriptions"]}
    assert {told[name]["status"] for name in (NAN, BEHIND)} == {"abstained"}
    for name in (NAN, BEHIND):
        assert f"`{name}` gives values that are no finite numbers (NaN or infinite)" in told[name]["reason"]
        assert not told[name]["scores"]
    with open_store(place.store) as store:
        made = store.queries.experiments(said.json["run"], NAN)
        beside = store.queries.experiments(said.json["run"], BESIDE)
    assert not made and beside and told[BESIDE]["status"] != "failed"
