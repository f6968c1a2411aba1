"""Visual tokens ablated, hidden and read: against plain forward passes on a tiny model, and on the committed one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from experiments.registry import open_target
from experiments.workplace import Workplace
from experiments.worlds import open_world
from store.database import open_store
from store.errors import PlannerError, UserError
from store.recorder import Turn
from tests.tools.lively import asked, lively
from tests.tools.methods.conftest import Caller
from tools.budget import Budget
from tools.context import ToolContext
from tools.door import call
from tools.engine.engine import Engine
from tools.methods.retold import retold
from tools.methods.token_ablation import ablated, reference, sights
from tools.methods.token_gradients import token_gradients
from tools.methods.token_knockout import Edges, by_word, knocked_out
from tools.methods.token_lens import labels_of, read
from tools.methods.windows import Window
from tools.stimuli import Stimulus
from tools.targets.answer import answer
from tools.targets.batch import CLASSES

STIMULI = asked("what color is the star ?", "is the circle red ?", "what shape ?")
NONE, SOME, ALL = (np.array(one, dtype=bool) for one in ([0] * 4, [1, 0, 0, 1], [1] * 4))


@pytest.fixture(scope="module")
def engine(llava_folder: Path) -> Engine:
    return Engine(lively(llava_folder))


def embedded(engine: Engine, stimulus: Stimulus) -> torch.Tensor:
    """The prompt as it enters the decoder, made without the engine."""
    model = cast(Any, engine.target.model)
    inputs = engine.adapter.batch([stimulus]).inputs
    words = model.get_input_embeddings()(inputs["input_ids"])
    patches = torch.stack(list(model.model.get_image_features(inputs["pixel_values"]).pooler_output))
    words[inputs["input_ids"] == model.config.image_token_id] = patches.reshape(-1, words.shape[-1])
    return words


def test_ablated_tokens_stand_at_the_mean_visual_token_where_they_enter_the_decoder(engine: Engine) -> None:
    mean = reference(engine, STIMULI)
    seen = sights(engine, STIMULI)
    found = ablated(engine, STIMULI, seen, [[SOME] * 3, [NONE] * 3, [NONE, ALL, SOME]], mean)
    model = cast(Any, engine.target.model)
    with torch.no_grad():
        every = [embedded(engine, stimulus) for stimulus in STIMULI]
        average = torch.cat([one[0, seen[row].places] for row, one in enumerate(every)]).mean(0)
        assert torch.allclose(mean.means[CLASSES.index("visual")], average, atol=1e-5)
        for row, one in enumerate(every):
            one[0, seen[row].places[SOME]] = average
            logits = model(inputs_embeds=one).logits[0, -1].numpy()
            np.testing.assert_allclose(found[0, row], logits, atol=1e-4)
    for row in range(3):
        np.testing.assert_allclose(found[1, row], seen[row].logits, atol=1e-5)
    assert np.abs(found[2, 0] - seen[0].logits).max() < 1e-5 < np.abs(found[2, 1] - seen[1].logits).max()


def test_what_is_written_with_nothing_ablated_is_the_targets_own_answer(engine: Engine) -> None:
    mean = reference(engine, STIMULI)
    plain = answer(
        engine.target, [one.question for one in STIMULI], [one.image for one in STIMULI], max_new_tokens=6
    )
    assert retold(engine, STIMULI, [NONE] * 3, mean, 6) == plain


def test_the_first_word_under_ablation_is_the_one_that_leads_the_ablated_logits(engine: Engine) -> None:
    mean, seen = reference(engine, STIMULI), sights(engine, STIMULI)
    led = ablated(engine, STIMULI, seen, [[ALL] * 3], mean)[0].argmax(axis=1)
    tokenizer = engine.target.processor.tokenizer
    words = tokenizer.batch_decode(led[:, None], skip_special_tokens=True)
    assert retold(engine, STIMULI, [ALL] * 3, mean, 1) == [word.strip() for word in words]


def test_an_answer_that_can_see_no_visual_token_is_the_same_for_every_picture(engine: Engine) -> None:
    """A mask in which False means "allowed" would leave the answer as it was."""
    pictures = asked("what", "what")
    seen = sights(engine, pictures)
    words = [int(one.logits.argmax()) for one in seen]
    lattice = engine.adapter.boxes(*pictures[0].image.size)
    whole = Window("all", 0, engine.adapter.extent().towers["language"].layers - 1)
    told = knocked_out(
        engine,
        pictures,
        seen,
        lattice,
        [Edges("picture", [ALL, ALL]), Edges("nothing", [NONE, NONE])],
        [whole],
        by_word(words),
    )
    hidden, untouched = told.chance[:, 0]
    assert np.abs(hidden - untouched).max() > 1e-3
    same = knocked_out(
        engine, pictures, seen, lattice, [Edges("picture", [ALL, ALL])], [whole], by_word([words[0]] * 2)
    )
    assert same.chance[0, 0, 0] == pytest.approx(same.chance[0, 0, 1], abs=1e-6)


def test_the_lens_behind_the_last_layer_says_what_the_model_says_at_that_token(engine: Engine) -> None:
    found = read(engine, STIMULI, [SOME] * 3, [~SOME] * 3)
    model = cast(Any, engine.target.model)
    seen = sights(engine, STIMULI)
    for row, stimulus in enumerate(STIMULI):
        inputs = engine.adapter.batch([stimulus]).inputs
        with torch.no_grad():
            likely = model(**inputs).logits[0].log_softmax(-1)[seen[row].places[SOME]]
        assert found[row].thing[-1].tolist() == likely.argmax(-1).tolist()
        entropy = -(likely.exp() * likely).sum(-1).mean()
        assert found[row].entropy[-1, 0] == pytest.approx(float(entropy), abs=1e-4)
        assert found[row].beside.shape == (3, 2)


def test_gradients_of_all_tokens_add_up_to_the_lead_that_the_picture_gives(engine: Engine) -> None:
    mean, seen = reference(engine, STIMULI), sights(engine, STIMULI)
    words = [int(one.logits.argmax()) for one in seen]
    rivals = [int(np.argsort(-one.logits)[1]) for one in seen]
    gone = ablated(engine, STIMULI, seen, [[ALL] * 3], mean)[0]
    for row, one in enumerate(token_gradients(engine, STIMULI, seen, words, mean)):
        with_, without = (
            float(logits[words[row]] - logits[rivals[row]]) for logits in (seen[row].logits, gone[row])
        )
        assert abs(one.heat.sum() - (with_ - without)) <= 0.25 * max(abs(with_ - without), 0.05)


def test_a_words_labels_are_its_own_tokens_and_never_the_start_token(engine: Engine) -> None:
    tokenizer = engine.target.processor.tokenizer
    assert tokenizer("red").input_ids[0] == tokenizer.bos_token_id
    assert labels_of(engine, "red") == {tokenizer.convert_tokens_to_ids("red")}
    with pytest.raises(UserError, match="`giraffe` begins with no token"):
        labels_of(engine, "giraffe")


def test_tools_refuse_pictures_in_which_a_thing_leaves_no_room_for_its_control(do: Caller) -> None:
    for tool in ("ablate_tokens", "knockout", "visual_lens"):
        with pytest.raises(PlannerError, match="on so few tokens that as many lie elsewhere"):
            do(tool, concept="red", n=8)


@pytest.fixture(scope="module")
def trained(committed_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    folder = tmp_path_factory.mktemp("tokens")
    target = open_target("tableau-llava", "cpu")
    with open_store(folder / "store.db") as store:
        work = Workplace(store, target, open_world("tableau:96/16/16", target), cache=folder)
        work.register()
        yield work.context(Budget(), index=False)


@pytest.fixture(scope="module")
def measure(trained: ToolContext) -> Any:
    run = trained.store.recorder.open_run("direct", trained.target.fingerprint, {}, 0, "test")
    calls = count()
    return lambda name, **arguments: (
        call(trained, Turn(run, "direct", 0, next(calls)), name, arguments).result
    )


def test_a_things_tokens_are_needed_and_as_many_others_are_not(measure: Any) -> None:
    told = measure("ablate_tokens", concept="star", n=8)
    flips = {one["name"]: one["flips"] for one in told["sets"]}
    assert flips["object+1"] - flips["random+1"] > 0.5
    assert told["quantities"]["flips_object+1"]["control"] == flips["random+1"]
    assert told["pictures"][0]["tokens"] > 1 and "n = " in told["summary"]


def test_windows_of_the_knockout_stand_beside_as_many_random_tokens(measure: Any) -> None:
    told = measure("knockout", concept="star", n=8, reader="question", tokens="object+2")
    assert (
        "attention of `language` was computed in the open, since `sdpa` shows no weights" in told["warnings"]
    )
    windows = {one["window"]: one for one in told["windows"]}
    assert windows["all"]["layers"] == [0, 5] and windows["all"]["beyond_ci"][0] > 0
    assert set(windows) >= {"early", "early-mid", "mid", "mid-late", "late", "all", "0", "5"}


def test_a_star_points_to_its_word_more_than_the_ground_does(measure: Any) -> None:
    told = measure("visual_lens", concept="star", n=8)
    quantities = told["quantities"]
    assert quantities["beyond_elsewhere"]["ci"][0] > 0 and quantities["depth"]["value"] >= 0.5
    assert len(told["sites"]) == 7
