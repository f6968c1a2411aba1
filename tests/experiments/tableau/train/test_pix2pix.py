"""Training the editor: latents that stay the same, batches that come back, and a folder that stock classes load."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image
from safetensors.torch import load_file

from experiments.registry import WEIGHTS, open_target, verify
from experiments.tableau.card import RECORD, renew
from experiments.tableau.edits import main as measure
from experiments.tableau.lexicon import vocabulary
from experiments.tableau.pix2pix import (
    CELLS,
    Guidance,
    edited,
    instruction_tokenizer,
    new_text_encoder,
    new_vae,
    open_pipeline,
    redrawn,
    take_text_tower,
)
from experiments.tableau.source import painted
from experiments.tableau.train import latents, unet, vae
from experiments.tableau.train.batches import pixels, scenes_of
from experiments.tableau.train.export import export_pix2pix
from experiments.tableau.train.loop import Stage, train
from experiments.tableau.train.unet import EditorTrainee, batch_of, edit_batch
from experiments.tableau.triples import CANVAS, EDIT_KINDS, triples
from store.errors import UserError

SMALL: Callable[[], Any] = partial(new_vae, 0, (8, 8, 16, 16))


def test_crops_and_whole_pictures_come_back_the_same_for_the_same_step() -> None:
    for step, side in ((0, vae.CROP), (9, 112)):
        first, again = vae.batch_of(step, steps=10), vae.batch_of(step, steps=10)
        assert first.pixels.shape[2:] == (side, side) == first.weights.shape[1:]
        assert torch.equal(first.pixels, again.pixels)
        assert set(first.weights.unique().tolist()) == {1.0, vae.THINGS}


def test_standardized_latents_redraw_the_same_pictures() -> None:
    autoencoder = SMALL()
    pictures = pixels(scenes_of(1, 0, 8, {"balanced": 1.0}))
    with torch.no_grad():
        before = vae.redraw(autoencoder, pictures)
        noise = autoencoder.encode(pictures).latent_dist
        latents.standardize(autoencoder, pictures)
        after = vae.redraw(autoencoder, pictures)
        found = autoencoder.encode(pictures).latent_dist
    assert torch.allclose(before, after, atol=1e-4)
    assert found.mean.mean(dim=(0, 2, 3)).abs().max() < 1e-3
    assert float(found.mean.std()) == pytest.approx(1.0, abs=1e-2)
    relative = (found.std / noise.std).flatten()
    assert torch.allclose(relative, relative[:1], rtol=1e-2)


def test_a_shard_holds_the_triples_of_its_scenes_in_some_of_their_wordings() -> None:
    autoencoder = SMALL()
    shard = latents.make(autoencoder, 3, stage=80, scenes=2)
    asked = [one for seed in (6, 7) for one in triples((80 << 40) + seed, vae.STREAM, latents.EDITS_EACH)]
    tokenizer = instruction_tokenizer()
    assert [EDIT_KINDS[kind] for kind in shard.kind] == [one.kind for one in asked]
    for row, one in enumerate(asked):
        with torch.no_grad():
            seen = autoencoder.encode(pixels([one.before, one.after])).latent_dist.mode()
        assert torch.allclose(shard.latents[shard.before[row]].float(), seen[0], atol=2e-2)
        assert torch.allclose(shard.latents[shard.after[row]].float(), seen[1], atol=2e-2)
        for words in tokenizer.batch_decode(shard.words[row], skip_special_tokens=True):
            assert words in [wording.replace(",", "") for wording in one.wordings]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training folder with a small autoencoder and shards of a few scenes."""
    folder = tmp_path_factory.mktemp("pix2pix")
    autoencoder = SMALL()
    latents.standardize(autoencoder, pixels(scenes_of(1, 0, 8, {"balanced": 1.0})))
    autoencoder.save_pretrained(folder / "vae")
    for number in range(2):
        (folder / "latents").mkdir(exist_ok=True)
        made = latents.make(autoencoder, number, stage=80, scenes=2)
        latents.write(made, folder / "latents" / f"{number:05d}.safetensors")
    return folder


def test_the_batch_of_a_step_comes_back_the_same(folder: Path) -> None:
    first, again = batch_of(7, folder=folder, rows=8), batch_of(7, folder=folder, rows=8)
    for ours, theirs in zip(first, again, strict=True):
        assert torch.equal(ours, theirs)
    assert first.before.shape == (8, 8, CELLS, CELLS)


def test_the_picture_and_the_words_are_withheld_now_and_then(folder: Path) -> None:
    shard = latents.shard(folder, 0)
    rows = 400
    batch = edit_batch([shard] * rows, [0] * rows, np.random.default_rng(0))
    no_picture = batch.before.flatten(1).abs().amax(1) == 0
    no_words = (batch.words != 0).sum(1) == 2
    for share in (no_picture & ~no_words, no_words & ~no_picture, no_words & no_picture):
        assert 0.02 < float(share.float().mean()) < 0.09


def test_a_training_that_goes_on_draws_what_the_earlier_one_would_have_drawn_next(folder: Path) -> None:
    whole, further = batch_of(7, folder=folder, rows=8), batch_of(2, folder=folder, rows=8, earlier=5)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(whole, further, strict=True))


def test_going_on_counts_the_steps_of_the_committed_training(tmp_path: Path) -> None:
    unet.prepare(tmp_path, tmp_path / "nothing", EditorTrainee(0), committed=True)
    (stage,) = unet.stages(EditorTrainee(0), 1.0, tmp_path)
    known = json.loads((WEIGHTS / "tableau-pix2pix" / "training.json").read_text())["stages"]
    make: Any = stage.make
    assert make.keywords["earlier"] == sum(one["steps"] for one in known if one["name"] == "edit") > 0


def test_what_an_edit_changes_counts_more(folder: Path) -> None:
    shard = latents.shard(folder, 0)
    batch = edit_batch([shard] * 4, [0] * 4, np.random.default_rng(0), withheld=0.0)
    assert 0 < float(batch.changed.mean()) < 1
    still = (batch.after - batch.before).abs().mean(dim=1, keepdim=True)[batch.changed == 0]
    assert float(still.max()) <= unet.CHANGES


def test_a_stopped_training_of_the_editor_ends_where_an_undisturbed_one_does(
    folder: Path, tmp_path: Path
) -> None:
    def stages(trainee: EditorTrainee, stop_at: int = -1) -> list[Stage]:
        def make(step: int) -> unet.EditBatch:
            if step == stop_at:
                raise KeyboardInterrupt
            return batch_of(step, folder=folder, rows=4)

        return [Stage("edit", 4, unet.RATES, make, trainee.step, average=unet.AVERAGE)]

    whole, first, second = (EditorTrainee(0, channels=(16, 16)) for _ in range(3))
    cpu = torch.device("cpu")
    train(tmp_path / "whole", whole, stages(whole), dict, device=cpu, workers=0)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", first, stages(first, stop_at=2), dict, device=cpu, workers=0)
    train(tmp_path / "stopped", second, stages(second), dict, device=cpu, workers=0)
    for ours, theirs in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_reader_of_instructions_starts_with_the_words_of_the_contrastive_model() -> None:
    encoder: Any = new_text_encoder(0)
    clip: Any = open_target("tableau-clip", "cpu").model
    take_text_tower(encoder, clip.text_model)
    words = len(vocabulary())
    own = encoder.state_dict()["embeddings.token_embedding.weight"]
    known = clip.text_model.state_dict()["embeddings.token_embedding.weight"]
    assert torch.equal(own[:words], known[:words])
    assert not torch.equal(own[words : len(known)], known[words:])


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An editor that has not learned anything, exported as a training that goes on would be."""
    training = tmp_path_factory.mktemp("training")
    new_vae(0).save_pretrained(training / "vae")
    trainee = EditorTrainee(0)
    state = {"model": trainee.state_dict(), "finished": False, "place": (0, 3, 5.0)}
    torch.save(state, training / "state.pt")
    (training / "run.json").write_text(json.dumps({"seed": 0, "scale": 1.0, "machine": "an abacus"}))
    (training / "log.jsonl").write_text(json.dumps({"stage": "edit", "step": 3, "seconds": 5}) + "\n")
    weights = training / "tableau-pix2pix"
    export_pix2pix(training, weights)
    return weights


def test_stock_classes_load_the_exported_editor(exported: Path) -> None:
    pipeline = DiffusionPipeline.from_pretrained(exported)
    assert type(pipeline).__name__ == "StableDiffusionInstructPix2PixPipeline"
    assert pipeline.safety_checker is None
    assert not [file for file in exported.rglob("*.json") if str(exported.parent) in file.read_text()]
    files = list(exported.rglob("*.safetensors"))
    assert all(tensor.dtype == torch.float16 for file in files for tensor in load_file(file).values())
    assert sum(file.stat().st_size for file in files) <= 8_000_000
    assert json.loads((exported / RECORD).read_text())["stages"] == [
        {"name": "edit", "steps": 3, "seconds": 5}
    ]


def test_the_same_seed_gives_the_same_edit_alone_or_among_others(exported: Path) -> None:
    pipeline = open_pipeline(exported)
    canvas = painted(CANVAS)
    guidance = Guidance(steps=2)
    asked = ["draw a red star", "draw a ring"]
    both = edited(pipeline, guidance, [canvas, canvas], asked, [4, 5])
    again = edited(pipeline, guidance, [canvas, canvas], asked, [4, 5])
    other = edited(pipeline, guidance, [canvas, canvas], asked, [6, 5])
    assert [one.tobytes() for one in both] == [one.tobytes() for one in again]
    assert both[0].tobytes() != other[0].tobytes()
    assert both[1].tobytes() == other[1].tobytes()
    alone = edited(pipeline, guidance, [canvas], asked[:1], [4])[0]
    apart = np.abs(np.asarray(alone, dtype=int) - np.asarray(both[0], dtype=int))
    assert apart.max() <= 2
    assert redrawn(pipeline, [canvas])[0].size == canvas.size


def test_what_is_measured_of_an_editor_stands_in_its_card(exported: Path, tmp_path: Path) -> None:
    measure(exported, n=2, pictures=4, steps=1, words=1, out=tmp_path, device="cpu")
    renew(exported, tmp_path)
    verify(exported)
    card = (exported / "README.md").read_text()
    record = json.loads((tmp_path / "edits.json").read_text())
    assert record["all"]["edited"]["done"]["n"] == 16
    assert f"| {record['all']['exact']['both']['share']:.2f} [" in card
    assert "| background | 1.000 [" in card
    with Image.open(tmp_path / "edits.png") as sheet:
        assert sheet.width > 3 * 3 * 112


def test_an_editor_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        open_pipeline(tmp_path)
