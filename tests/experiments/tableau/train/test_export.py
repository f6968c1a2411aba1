"""From a training folder to a folder that stock classes load, and that its card vouches for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor

from experiments.registry import open_judge, open_target
from experiments.tableau.card import RECORD, renew
from experiments.tableau.models import new_llava
from experiments.tableau.train.clip import ClipTrainee
from experiments.tableau.train.export import CHECKPOINTS, EXPORTS
from experiments.tableau.train.judge import JudgeTrainee
from experiments.tableau.train.llava import LlavaTrainee
from experiments.tableau.train.loop import BEFORE, finished_weights, snapshot
from store.errors import UserError
from tools.targets.answer import answer

PICTURE = Image.new("RGB", (112, 112), (200, 30, 30))


def ended(folder: Path, trainee: nn.Module, *, finished: bool = True) -> Path:
    """A training folder as the loop leaves it."""
    folder.mkdir(parents=True)
    torch.save({"model": trainee.state_dict(), "finished": finished}, folder / "state.pt")
    (folder / "run.json").write_text(json.dumps({"seed": 0, "scale": 1.0, "machine": "an abacus"}))
    rows = [{"stage": "one", "step": 3, "seconds": 5}, {"stage": "two", "step": 4, "seconds": 12}]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three models, exported from trainings that did nothing."""
    root = tmp_path_factory.mktemp("export")
    llava = LlavaTrainee(0)
    for name, trainee in (("clip", ClipTrainee(0)), ("llava", llava), ("judge", JudgeTrainee(0))):
        training = ended(root / "training" / name, trainee)
        if name == "llava":
            (training / "snapshots").mkdir()
            for kept in ("text-1", "align-1", "instruct-1", "instruct-2", "instruct-3", "instruct-4"):
                snapshot(llava, training / "snapshots" / f"{kept}.safetensors")
        folder = root / "weights" / f"tableau-{name}"
        EXPORTS[name](training, folder)
        renew(folder, root, scenes=60)
    return root / "weights"


def test_stock_classes_load_what_is_exported_and_generate(weights: Path) -> None:
    folder = weights / "tableau-llava"
    model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(folder)
    content = [{"type": "image", "image": PICTURE}, {"type": "text", "text": "describe the picture ."}]
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        add_generation_prompt=True,
    )
    assert model.generate(**inputs, max_new_tokens=4).shape[1] > inputs["input_ids"].shape[1]


def test_the_exported_weights_are_those_of_the_training(weights: Path) -> None:
    exported = open_target("tableau-llava", "cpu", weights=weights).model.state_dict()
    for name, value in LlavaTrainee(0).llava.state_dict().items():
        assert torch.equal(exported[name], value.half().float())


def test_every_checkpoint_opens_and_the_first_is_a_decoder(weights: Path) -> None:
    for name in set(CHECKPOINTS) - {"text"}:
        target = open_target(f"tableau-llava@{name}", "cpu", weights=weights)
        assert answer(target, ["is there a star ?"], [PICTURE], max_new_tokens=2)
    AutoModelForCausalLM.from_pretrained(weights / "tableau-llava" / "checkpoints" / "text")


def test_the_untrained_control_is_the_model_that_training_begins_with(weights: Path) -> None:
    control = open_target("tableau-llava-random", "cpu", seed=5, weights=weights).model.state_dict()
    for name, value in new_llava(5).state_dict().items():
        assert torch.equal(control[name], value)


def test_the_judge_opens_and_its_card_vouches_for_it(weights: Path) -> None:
    judge = open_judge(weights / "tableau-judge")
    assert judge.present([PICTURE], ["red thing"]).shape == (1, 1)


def test_the_card_says_how_long_each_stage_took(weights: Path) -> None:
    training = json.loads((weights / "tableau-clip" / "card.json").read_text())["training"]
    assert training["stages"] == [
        {"name": "one", "steps": 3, "seconds": 5.0},
        {"name": "two", "steps": 4, "seconds": 7.0},
    ]


def test_a_training_that_went_on_from_weights_keeps_their_checkpoints_and_their_history(
    tmp_path: Path,
) -> None:
    training = ended(tmp_path / "llava", LlavaTrainee(1))
    (training / BEFORE).write_text(json.dumps({"stages": [{"name": "zero", "steps": 1, "seconds": 2.0}]}))
    folder = tmp_path / "tableau-llava"
    kept = folder / "checkpoints" / "text" / "model.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"as it was")
    EXPORTS["llava"](training, folder)
    assert kept.read_bytes() == b"as it was"
    assert [stage["name"] for stage in json.loads((folder / RECORD).read_text())["stages"]] == [
        "zero",
        "one",
        "two",
    ]


def test_a_training_that_is_not_finished_is_not_exported(tmp_path: Path) -> None:
    training = ended(tmp_path / "clip", nn.Linear(1, 1), finished=False)
    with pytest.raises(UserError, match="is not finished"):
        finished_weights(training)
