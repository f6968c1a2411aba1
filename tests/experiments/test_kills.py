"""A tenth of the proof by kills: nothing acknowledged is lost or doubled, and the end is that of an undisturbed run."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.facts import differences
from experiments.kills import Planner, Witness, prove


@pytest.mark.parametrize("planner", ["builtin", "programs"])
def test_what_is_acknowledged_outlives_every_kill(
    planner: Planner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    witness = prove(tmp_path, planner, 25, 1, components="vision.3.mlp[0:2]", patience=2.0)
    assert (witness.kills, witness.components) == (25, 2) and witness.experiments
    assert witness.lost == witness.doubled == witness.differences == []
    assert max(witness.killed_at) > 0, "every life ended before it had measured anything"


def test_a_witness_of_a_loss_is_not_clean() -> None:
    assert Witness().clean
    for broken in (Witness(lost=["e1"]), Witness(doubled=["e1"]), Witness(differences=["x: 1 | 2"])):
        assert not broken.clean
    assert differences({"experiments": {"a": 1}}, {"experiments": {}}) == [".experiments.a: only in one"]
