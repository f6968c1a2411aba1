"""Model cards: they vouch for the files beside them, and quote only what was measured on these very weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.registry import verify
from experiments.tableau.card import renew
from experiments.tableau.models import clip_processor, llava_processor, new_clip, new_llava
from store.errors import UserError

TRAINING = {"seed": 1, "machine": "an abacus", "stages": [{"name": "dense", "steps": 7, "seconds": 90}]}
FIGURE = {"accuracy": 0.9375, "ci": [0.71, 0.98], "n": 16, "chance": 0.5}


@pytest.fixture
def clip_weights(tmp_path: Path) -> Path:
    folder = tmp_path / "tableau-clip"
    new_clip(0).half().save_pretrained(folder)
    clip_processor().save_pretrained(folder)
    (folder / "training.json").write_text(json.dumps(TRAINING))
    return folder


def facts(folder: Path) -> dict[str, str]:
    return dict(json.loads((folder / "card.json").read_text()))


def test_a_card_vouches_for_the_files_beside_it(clip_weights: Path, tmp_path: Path) -> None:
    renew(clip_weights, tmp_path)
    verify(clip_weights)
    with (clip_weights / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(UserError, match="are not the ones that its card describes"):
        verify(clip_weights)


def test_a_card_quotes_only_what_was_measured_on_these_weights(clip_weights: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    renew(clip_weights, results)
    record = {"target": "tableau-clip", "fingerprint": "of other weights", "attributes": {"color": FIGURE}}
    (results / "zero-shot.json").write_text(json.dumps(record))
    renew(clip_weights, results)
    assert "0.938" not in (clip_weights / "README.md").read_text()
    record["fingerprint"] = facts(clip_weights)["fingerprint"]
    (results / "zero-shot.json").write_text(json.dumps(record))
    renew(clip_weights, results)
    assert "| color | 0.938 [0.710, 0.980] | 16 | 0.500 |" in (clip_weights / "README.md").read_text()


def test_the_card_of_the_generative_model_tells_the_planted_truth_and_the_floors(tmp_path: Path) -> None:
    folder, results = tmp_path / "tableau-llava", tmp_path / "results"
    new_llava(0).half().save_pretrained(folder)
    llava_processor().save_pretrained(folder)
    (folder / "training.json").write_text(json.dumps(TRAINING))
    results.mkdir()
    renew(folder, results, scenes=400)
    grey = {"accuracy": 0.5, "ci": [0.3, 0.7], "n": 16}
    recall = {"value": 0.75, "ci": [0.5, 0.9], "n": 12}
    floors = {
        "target": "tableau-llava",
        "fingerprint": facts(folder)["fingerprint"],
        "kinds": {"polling": FIGURE | {"grey": grey}, "context": FIGURE},
        "extra": {
            "size": FIGURE | {"grey": grey},
            "caption": {"object_recall": recall, "hallucination": None},
        },
    }
    gap = {"regular": FIGURE, "counter": FIGURE, "gap": {"value": -0.25, "ci": [-0.5, 0.0], "n": 16}}
    gaps = floors | {"gaps": {"hearts are red": {"question": "…", "asked": gap, "control": gap}}}
    (results / "floors.json").write_text(json.dumps(floors))
    (results / "regularities.json").write_text(json.dumps(gaps))
    renew(folder, results, scenes=400)
    card = (folder / "README.md").read_text()
    for line in (
        "| polling | 0.938 [0.710, 0.980] | 16 | 0.500 | 0.500 | 0.98 |",
        "| context | 0.938 [0.710, 0.980] | 16 | – | 0.500 | 0.97 |",
        "| caption: object recall | 0.750 [0.500, 0.900] | 12 | – | – | 0.93 |",
        "| hearts are red | 0.938 | 0.938 | -0.250 [-0.500, +0.000] | 16 | -0.250 [-0.500, +0.000] |",
    ):
        assert line in card
    assert "| a heart is red | 0.90 | 0." in card
