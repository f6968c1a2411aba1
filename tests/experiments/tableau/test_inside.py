"""What is planted is found, what is noise is not, and what did not run is an error."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import torch

from experiments.tableau.balanced import Item, balanced
from experiments.tableau.inside.ablation import (
    ablated,
    heads,
    position_classes,
    projections,
    random_channels,
    reference_means,
)
from experiments.tableau.inside.activations import Site, reading, units_at_answer, units_on_pictures
from experiments.tableau.inside.heads import effects
from experiments.tableau.inside.heads import heads as measure_heads
from experiments.tableau.inside.presence import Label, PhraseClass, asked_in, presence, true_of
from experiments.tableau.inside.selectivity import (
    correlations,
    exceeds,
    null,
    selectivity,
    split,
    untrained_exceed,
)
from experiments.tableau.inside.stimuli import Stimuli, answer_logits, asked, decode, embedded, stimuli
from experiments.tableau.inside.units import reaches_answer, trained_eyes
from experiments.tableau.inside.units_report import GROUPS, UnitsReport, site_report
from experiments.tableau.models import PREFIX, llava_processor, new_llava
from experiments.tableau.questions import Kind, Question
from experiments.tableau.render import render, to_image
from experiments.tableau.sampler import sample
from experiments.tableau.scene import Scene, Thing
from tools.targets.answer import encode, prompt
from tools.targets.target import Target

KINDS: tuple[Kind, ...] = ("color", "counting", "relation")


@pytest.fixture(scope="module")
def model() -> Any:
    return new_llava(0).eval()


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return [item for kind in KINDS for item in balanced(kind, 2, seed=5)]


@pytest.fixture(scope="module")
def batch(items: list[Item]) -> Stimuli:
    return next(iter(asked(items)))


@pytest.fixture(scope="module")
def world() -> list[Scene]:
    return [sample(index, "balanced", stream=12) for index in range(600)]


class TestStimuli:
    def test_layers_run_one_by_one_give_the_models_own_logits(self, model: Any, batch: Stimuli) -> None:
        with torch.no_grad():
            expected = model(input_ids=batch.ids, pixel_values=batch.pixels).logits
            streams = decode(model, embedded(model, batch))
            found = answer_logits(model, streams[-1], batch.last)
            late = answer_logits(model, decode(model, streams[4], 4)[-1], batch.last)
        rows = torch.arange(len(batch.ids))
        assert (found - expected[rows, batch.last]).abs().max() < 1e-5
        assert torch.equal(found, late)

    def test_padding_on_the_right_gives_what_the_processor_gives(self, model: Any, items: list[Item]) -> None:
        target = Target("untrained", "llava", model, llava_processor())
        batch = next(iter(asked(items)))
        pictures = [to_image(render(item.scene)) for item in items if item.scene]
        given = encode(target, [prompt(target, item.text, with_image=True) for item in items], pictures)
        with torch.no_grad():
            expected = model(**given).logits[:, -1]
            found = answer_logits(model, decode(model, embedded(model, batch))[-1], batch.last)
        assert (found - expected).abs().max() < 1e-5

    def test_a_question_without_a_picture_is_refused(self) -> None:
        with pytest.raises(ValueError, match="1 of 1 questions have no picture"):
            next(iter(asked(balanced("context", 1))))


class TestPresence:
    def test_labels_say_what_the_picture_shows(self) -> None:
        scene = Scene("dark", (Thing("star", "red", "solid", "small", 50, 50),))
        assert {label.words for label in true_of(scene)} == {
            *("dark", "red", "star", "solid", "small", "red star", "one things", "flat")
        }

    def test_labels_of_a_question_name_its_kind_its_words_and_its_answer(self) -> None:
        item = Item(Scene("dark"), Question("counting"), "how many red stars are there ?", "two")
        assert asked_in(item) == {
            Label("kind", "asks for counting"),
            Label("asked", "names red"),
            Label("asked", "names star"),
            Label("answer", "the answer is two"),
        }

    def test_rare_labels_are_left_out(self, world: list[Scene]) -> None:
        half = split(range(len(world)), 0)
        everything = presence([true_of(scene) for scene in world])
        kept = everything.supported(half)
        assert 0 < len(kept.labels) < len(everything.labels)
        assert min(kept.true[:, half].sum(1).min(), kept.true[:, ~half].sum(1).min()) >= 10
        assert set(kept.classes) <= set(get_args(PhraseClass))

    def test_a_scene_lies_in_one_half_only(self) -> None:
        half = split([index // 3 for index in range(300)], 1)
        assert (half.reshape(100, 3).sum(1) % 3 == 0).all()
        assert half.sum() == 150


class TestSelectivity:
    """Units 0 and 1 are planted, 2 is dead, the others are noise."""

    @pytest.fixture(scope="class")
    def found(self, world: list[Scene]) -> Any:
        facts = presence([true_of(scene) for scene in world])
        half = split(range(len(world)), 0)
        tested = facts.supported(half)
        rng = np.random.default_rng(0)
        copies = [rng.normal(size=(len(world), 200)) for _ in range(4)]
        red = tested.true[tested.labels.index(Label("color", "red"))]
        dark = tested.true[tested.labels.index(Label("background", "dark"))]
        copies[0][:, 0] = red + 0.01 * rng.normal(size=len(world))
        copies[0][:, 1] = -5.0 * dark + 0.01 * rng.normal(size=len(world))
        copies[0][:, 2] = 7.0
        trained, *untrained = (selectivity(copy, tested, half) for copy in copies)
        return tested, trained, untrained

    def test_a_planted_unit_is_found_with_its_phrase_whatever_its_sign(self, found: Any) -> None:
        tested, trained, untrained = found
        assert [tested.labels[index].words for index in trained.label[:2]] == ["red", "dark"]
        assert (trained.rho[:2] > 0.99).all()
        assert exceeds(trained, null(untrained), tested)[:2].all()

    def test_noise_is_not_above_the_null(self, found: Any) -> None:
        tested, trained, untrained = found
        assert exceeds(trained, null(untrained), tested)[3:].mean() < 0.12
        assert untrained_exceed(untrained, tested).mean() < 0.12
        assert abs(trained.rho[3:].mean()) < 0.02

    def test_a_dead_unit_is_counted_and_never_selective(self, found: Any) -> None:
        tested, trained, untrained = found
        assert trained.dead.tolist() == [unit == 2 for unit in range(200)]
        assert trained.rho[2] == 0 and not exceeds(trained, null(untrained) - 1, tested)[2]

    def test_one_copy_is_no_control(self, found: Any) -> None:
        tested, _, untrained = found
        with pytest.raises(ValueError, match="at least two untrained copies, got 1"):
            untrained_exceed(untrained[:1], tested)

    def test_a_unit_that_trained_eyes_alone_explain_is_not_learned(self, found: Any) -> None:
        tested, trained, untrained = found
        site = Site("language.0.mlp", "visual")
        report = site_report(site, trained, untrained, [trained, trained], tested, counted=True)
        assert report.compared.above[:2].all()
        plain = site_report(site, trained, untrained, untrained, tested, counted=True)
        assert (plain.compared.learned == plain.compared.above).all()
        assert report.compared.learned.sum() < plain.compared.learned.sum()
        shares = UnitsReport((plain,), 600, 0, 3)
        assert plain.group == "language (visual)" and plain.dead == 1
        with pytest.raises(ValueError, match="at least one array"):
            shares.share("above")
        assert GROUPS[-1] == "all"

    def test_correlations_agree_with_numpy(self) -> None:
        rng = np.random.default_rng(3)
        true, units = rng.random((4, 50)) < 0.4, rng.normal(size=(50, 6))
        expected = np.corrcoef(np.vstack([true, units.T]).astype(float))[:4, 4:]
        np.testing.assert_allclose(correlations(true, units), expected, atol=1e-12)
        assert (correlations(np.ones((1, 50), dtype=bool), units) == 0).all()


class TestActivations:
    def test_every_layer_is_read_and_pooled_over_the_pictures_tokens(
        self, model: Any, world: list[Scene]
    ) -> None:
        pictures = stimuli(world[:2])
        found = units_on_pictures(model, [pictures])
        assert len(found) == 5 + 6
        seen: list[torch.Tensor] = []
        hook = model.model.language_model.layers[2].mlp.down_proj.register_forward_pre_hook(
            lambda _, given: seen.append(given[0])
        )
        with torch.no_grad():
            model(input_ids=pictures.ids, pixel_values=pictures.pixels)
        hook.remove()
        expected = seen[0][:, 1:PREFIX].amax(1).numpy()
        np.testing.assert_allclose(found[Site("language.2.mlp", "visual")], expected, atol=1e-6)

    def test_the_last_position_is_each_questions_own(
        self, model: Any, items: list[Item], batch: Stimuli
    ) -> None:
        together = units_at_answer(model, [batch])[Site("language.5.mlp", "last")]
        alone = units_at_answer(model, asked(items[:1]))[Site("language.5.mlp", "last")]
        np.testing.assert_allclose(together[:1], alone, atol=1e-5)

    def test_layers_that_no_answer_depends_on_are_known(self, model: Any) -> None:
        pairs = [("vision.3.mlp", "visual"), ("vision.4.mlp", "visual"), ("language.4.mlp", "visual")]
        pairs += [("language.5.mlp", "visual"), ("language.5.mlp", "last")]
        found = [reaches_answer(Site(*pair), model) for pair in pairs]  # type: ignore[arg-type]
        assert found == [True, False, True, False, True]

    def test_trained_eyes_are_the_trained_models_and_the_rest_is_not(self, model: Any) -> None:
        copy = trained_eyes(9, model)
        for mine, theirs in zip(
            copy.model.vision_tower.parameters(), model.model.vision_tower.parameters(), strict=True
        ):
            assert torch.equal(mine, theirs)
        assert not torch.equal(copy.lm_head.weight, model.lm_head.weight)

    def test_a_module_that_does_not_run_is_an_error(self) -> None:
        with (
            pytest.raises(RuntimeError, match="the hook at `idle` did not fire"),
            reading({"idle": torch.nn.Identity()}, lambda *_: None),
        ):
            pass


class TestAblation:
    def test_only_heads_that_are_read_are_listed(self, model: Any) -> None:
        assert [len(heads(model, tower)) for tower in ("vision", "language")] == [16, 24]
        head = heads(model, "language")[5]
        assert (head.address, head.channels) == ("language.1.head.1", tuple(range(32, 64)))
        controls = random_channels(model, "language", 0)
        assert [len(set(control.channels)) for control in controls] == [32] * 6

    def test_nothing_ablated_changes_nothing_and_all_heads_ablated_do(
        self, model: Any, batch: Stimuli
    ) -> None:
        module, classes = projections(model, "language")[3], position_classes(batch, "language")
        means = reference_means(model, [batch], "language")[3]
        with torch.no_grad():
            streams = decode(model, embedded(model, batch))
            plain = answer_logits(model, streams[-1], batch.last)
            with ablated(module, (), means, classes):
                same = answer_logits(model, decode(model, streams[3], 3)[-1], batch.last)
            with ablated(module, range(128), means, classes):
                other = answer_logits(model, decode(model, streams[3], 3)[-1], batch.last)
            again = answer_logits(model, decode(model, streams[3], 3)[-1], batch.last)
        assert torch.equal(plain, same) and torch.equal(plain, again)
        assert (plain - other).abs().max() > 1e-4

    def test_each_head_changes_the_answer_of_some_question(self, model: Any, batch: Stimuli) -> None:
        for tower in ("vision", "language"):
            means = reference_means(model, [batch], tower)
            classes = position_classes(batch, tower)
            with torch.no_grad():
                plain = answer_logits(model, decode(model, embedded(model, batch))[-1], batch.last)
                for head in heads(model, tower)[::5]:
                    module = projections(model, tower)[head.layer]
                    with ablated(module, head.channels, means[head.layer], classes):
                        changed = answer_logits(model, decode(model, embedded(model, batch))[-1], batch.last)
                    assert (plain - changed).abs().max() > 1e-7, head.address

    def test_means_are_those_of_each_class_of_positions(self, model: Any, batch: Stimuli) -> None:
        seen: list[torch.Tensor] = []
        with torch.no_grad(), reading({"x": projections(model, "language")[0]}, lambda _, z: seen.append(z)):
            decode(model, embedded(model, batch))
        means = reference_means(model, [batch], "language")[0]
        rows = torch.arange(len(batch.ids))
        torch.testing.assert_close(means[0], seen[0][:, 0].mean(0))
        torch.testing.assert_close(means[1], seen[0][:, 1:PREFIX].mean((0, 1)), atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(means[3], seen[0][rows, batch.last].mean(0))
        words = [seen[0][row, PREFIX : batch.last[row]] for row in rows]
        torch.testing.assert_close(means[2], torch.cat(words).mean(0))

    def test_an_ablation_that_does_not_run_is_an_error(self, model: Any, batch: Stimuli) -> None:
        module, classes = projections(model, "language")[0], position_classes(batch, "language")
        with (
            pytest.raises(RuntimeError, match="the ablation's hook did not fire"),
            ablated(module, range(32), torch.zeros(4, 128), classes),
        ):
            pass

    def test_a_head_that_one_kind_needs_stands_out_and_one_that_all_need_does_not(self) -> None:
        before = np.ones((3, 60), dtype=bool)
        after = np.ones((2, 3, 60), dtype=bool)
        after[0, 1, :30] = False
        after[1, :, :30] = False
        one, every = effects(before, after, ["language.0.head.0", "language.0.head.1"], KINDS)
        assert one.specialized and one.kind == "counting"
        assert one.margin.value == one.lead == 0.5
        assert one.loss["color"].value == 0 and one.margin.n == 60
        assert not every.specialized and every.margin.value == 0

    def test_an_untrained_model_has_no_specialized_head_and_its_report_is_whole(self, model: Any) -> None:
        questions = {kind: balanced(kind, 3, seed=6) for kind in KINDS}
        reference = [item for few in questions.values() for item in few]
        report = measure_heads(model, questions, reference, "language", controls=False)
        assert len(report.heads) == 24 and not report.random_channels
        assert report.as_json()["accuracy"].keys() == set(KINDS)
        assert {effect.loss["color"].n for effect in report.heads} == {3}
