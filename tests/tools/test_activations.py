"""Activations are what the stock model computes, whoever stands beside a stimulus in its batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from experiments.registry import open_target
from store.address import Address, parse
from store.errors import UserError
from store.records import Reading
from tests.tiny import save_llava_next
from tests.tools.index.sources import RandomPictures
from tools.activations import ModelActivations
from tools.index import build_index
from tools.meter import metered
from tools.pools import POOLS, side, side_of, turned
from tools.stimuli import Stimulus
from tools.targets.adapter import Adapter, adapter_for
from tools.targets.load import load_target
from tools.targets.target import Target

STIMULI = [RandomPictures(7).asked(number) for number in range(7)]


@pytest.fixture(scope="module")
def llava(llava_folder: Path) -> Target:
    return load_target(llava_folder, name="tiny-llava", device="cpu")


@pytest.fixture(scope="module")
def clip(clip_folder: Path) -> Target:
    return load_target(clip_folder, name="tiny-clip", device="cpu")


@pytest.fixture(params=["llava", "clip"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return adapter_for(request.getfixturevalue(request.param))


def run_alone(adapter: Adapter, stimulus: Stimulus, address: Address) -> dict[str, torch.Tensor]:
    """Activations at each scope's tokens for one stimulus in a batch of its own, by a plain hook."""
    batch = adapter.batch([stimulus])
    model: Any = adapter.target.model
    towers = {
        ("llava", "vision"): lambda: model.model.vision_tower.encoder.layers,
        ("llava", "language"): lambda: model.model.language_model.layers,
        ("clip", "vision"): lambda: model.vision_model.encoder.layers,
        ("clip", "language"): lambda: model.text_model.encoder.layers,
    }
    layer = towers[adapter.target.family, address.tower]()[address.layer]
    mlp, attention = layer.mlp, layer.self_attn
    module = getattr(mlp, "down_proj", None) or mlp.fc2
    if address.part == "head":
        module = getattr(attention, "o_proj", None) or attention.out_proj
    seen: list[torch.Tensor] = []
    hook = module.register_forward_pre_hook(lambda _, given: seen.append(given[0][0]))
    with torch.no_grad():
        adapter.forward(batch)
    hook.remove()
    assert address.index is not None
    if address.part == "mlp":
        row = seen[0][:, address.index]
    else:
        size = attention.head_dim
        columns = slice(address.index * size, (address.index + 1) * size)
        write = module.weight.detach()[:, columns].T.double()
        row = (seen[0][:, columns].double() @ write).norm(dim=-1)
    if address.tower == "vision":
        return {"visual": row[1:]}
    return {
        "visual": row[batch.visual[0]],
        "question": row[batch.question[0]],
        "answer": row[batch.answer[0]].reshape(1),
    }


def expected(scopes: dict[str, torch.Tensor]) -> list[float]:
    def of(pool: str) -> float:
        scope, _, how = pool.partition(".")
        tokens = scopes.get(scope, torch.zeros(0))
        if not len(tokens):
            return float("nan")
        return float({"max": tokens.max(), "min": tokens.min(), "mean": tokens.mean(), "": tokens[0]}[how])

    return [of(pool) for pool in POOLS]


COMPONENTS = (
    "vision.0.mlp.3 vision.1.mlp.23 vision.1.head.1 language.0.mlp.0 language.1.mlp.17 language.0.head.2 "
    "language.1.head.1"
).split()


@pytest.mark.parametrize("name", COMPONENTS)
def test_pooled_values_are_those_of_each_stimulus_alone(adapter: Adapter, name: str) -> None:
    extent = adapter.extent()
    if name == "language.0.head.2" and adapter.target.family == "clip":
        name = "language.0.head.0"  # the text tower has two heads
    address = parse(name, extent)
    found = ModelActivations(adapter.target, adapter, batch=4).pooled([address], STIMULI)[:, :, 0]
    for row, stimulus in enumerate(STIMULI):
        scopes = run_alone(adapter, stimulus, address)
        np.testing.assert_allclose(found[:, row], expected(scopes), atol=1e-5)


def test_all_components_at_once_are_what_each_is_alone_in_any_order(adapter: Adapter) -> None:
    activations = ModelActivations(adapter.target, adapter)
    addresses = list(adapter.extent().all())
    together = activations.pooled(addresses, STIMULI)
    assert together.dtype == np.float32 and together.shape == (len(POOLS), len(STIMULI), len(addresses))
    chosen = np.random.default_rng(0).permutation(len(addresses))[:25]
    apart = activations.pooled([addresses[i] for i in chosen], STIMULI)
    np.testing.assert_allclose(apart, together[:, :, chosen], atol=1e-5)


def test_values_do_not_depend_on_the_rest_of_the_batch(adapter: Adapter) -> None:
    addresses = list(adapter.extent().all())
    whole = ModelActivations(adapter.target, adapter, batch=7).pooled(addresses, STIMULI)
    single = ModelActivations(adapter.target, adapter, batch=1).pooled(addresses, STIMULI)
    np.testing.assert_allclose(whole, single, atol=1e-5)
    backwards = ModelActivations(adapter.target, adapter, batch=3).pooled(addresses, STIMULI[::-1])
    np.testing.assert_allclose(backwards[:, ::-1], whole, atol=1e-5)


def test_pools_without_tokens_are_nan(llava: Target, clip: Target) -> None:
    plain = replace(STIMULI[0], question="")
    values = ModelActivations(llava).pooled(
        [Address("vision", 0, "mlp", 0), Address("language", 0, "mlp", 0)], [STIMULI[0], plain]
    )
    assert np.isnan(values[3:, :, 0]).all() and not np.isnan(values[:3, :, 0]).any()
    assert not np.isnan(values[:, 0, 1]).any()
    assert np.isnan(values[3:5, 1, 1]).all() and not np.isnan(values[[0, 1, 2, 5], 1, 1]).any()
    text = ModelActivations(clip)
    towers = [Address("vision", 0, "mlp", 0), Address("language", 0, "mlp", 0)]
    both = text.pooled(towers, [STIMULI[0]])
    assert np.isnan(both[:3, 0, 1]).all() and not np.isnan(both[3:, 0, 1]).any()
    assert np.isnan(text.pooled(towers, [plain])[:, 0, 1]).all()
    assert np.isnan(text.pooled(towers[1:], [plain])).all()


def test_pictures_in_different_numbers_of_tiles_are_pooled_over_their_own_tokens(tmp_path: Path) -> None:
    target = load_target(save_llava_next(tmp_path / "next"), name="tiny-next", device="cpu")
    sizes = [(28, 28), (56, 28), (28, 70), (28, 28)]
    stimuli = [
        replace(stimulus, image=stimulus.image.resize(size))
        for stimulus, size in zip(STIMULI, sizes, strict=False)
    ]
    addresses = list(adapter_for(target).extent().all())
    together = ModelActivations(target).pooled(addresses, stimuli)
    apart = ModelActivations(target, batch=1).pooled(addresses, stimuli)
    assert {address.tower for address in addresses} == {"language"} and not np.isnan(together).any()
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_rows_are_counted(llava: Target) -> None:
    activations = ModelActivations(llava, batch=4)
    with metered() as first:
        activations.pooled([Address("language", 0, "mlp", 0)], STIMULI)
    with metered() as second:
        activations.maps(Address("language", 0, "mlp", 0), STIMULI[:2])
    assert (first.rows, second.rows, activations.passes) == (7, 2, 3)


def test_a_neurons_map_lays_its_visual_tokens_out_row_by_row(adapter: Adapter) -> None:
    address = Address("vision", 1, "mlp", 5)
    found = ModelActivations(adapter.target, adapter).maps(address, STIMULI)
    assert found.shape == (7, 2, 2) and found.dtype == np.float32
    for row, stimulus in enumerate(STIMULI):
        scopes = run_alone(adapter, stimulus, address)
        np.testing.assert_allclose(found[row].ravel(), scopes["visual"].numpy(), atol=1e-5)


def test_a_language_neurons_map_agrees_with_its_pools(llava: Target) -> None:
    activations, address = ModelActivations(llava), Address("language", 1, "mlp", 9)
    maps, pooled = activations.maps(address, STIMULI), activations.pooled([address], STIMULI)[:, :, 0]
    np.testing.assert_allclose(maps.max((1, 2)), pooled[0], atol=1e-5)
    np.testing.assert_allclose(maps.min((1, 2)), pooled[1], atol=1e-5)
    np.testing.assert_allclose(maps.mean((1, 2)), pooled[2], atol=1e-5)


def test_a_heads_map_is_the_stock_models_attention_from_the_answer(llava_folder: Path, llava: Target) -> None:
    stock = load_target(llava_folder, name="stock", device="cpu")
    model: Any = stock.model
    model.set_attn_implementation("eager")
    adapter = adapter_for(stock)
    for number, stimulus in enumerate(STIMULI[:3]):
        batch = adapter.batch([stimulus])
        with torch.no_grad():
            patterns = model(**batch.inputs, output_attentions=True).attentions
        for layer, head in ((0, 3), (1, 0)):
            found = ModelActivations(llava).maps(Address("language", layer, "head", head), STIMULI)
            row = patterns[layer][0, head, batch.answer[0]][batch.visual[0]]
            np.testing.assert_allclose(found[number].ravel(), row.numpy(), atol=1e-5)


def test_a_vision_heads_map_is_attention_from_the_class_token(clip_folder: Path, clip: Target) -> None:
    stock = load_target(clip_folder, name="stock", device="cpu")
    model: Any = stock.model
    model.set_attn_implementation("eager")
    pixels = adapter_for(stock).batch(STIMULI).inputs["pixel_values"]
    with torch.no_grad():
        patterns = model.vision_model(pixels, output_attentions=True).attentions
    found = ModelActivations(clip).maps(Address("vision", 2, "head", 1), STIMULI)
    np.testing.assert_allclose(found.reshape(7, -1), patterns[2][:, 1, 0, 1:].numpy(), atol=1e-5)


def test_a_map_leaves_the_models_attention_as_it_was(llava: Target) -> None:
    before = llava.model.config.text_config._attn_implementation
    activations = ModelActivations(llava)
    logits = activations.pooled([Address("language", 1, "mlp", 0)], STIMULI)
    activations.maps(Address("language", 1, "head", 0), STIMULI)
    assert llava.model.config.text_config._attn_implementation == before != "eager"
    assert (activations.pooled([Address("language", 1, "mlp", 0)], STIMULI) == logits).all()


def test_a_text_towers_component_has_no_map(clip: Target) -> None:
    with pytest.raises(UserError, match=r"`language\.0\.mlp\.0` sees no grid of visual tokens"):
        ModelActivations(clip).maps(Address("language", 0, "mlp", 0), STIMULI)


def test_what_is_neither_neuron_nor_head_has_no_activation(llava: Target) -> None:
    with pytest.raises(UserError, match=r"`language\.0\.resid` has no one activation"):
        ModelActivations(llava).pooled([Address("language", 0, "resid")], STIMULI)


def test_nothing_asked_gives_nothing(llava: Target) -> None:
    activations = ModelActivations(llava)
    with metered() as meter:
        assert activations.pooled([], STIMULI).shape == (len(POOLS), 7, 0)
        assert activations.pooled([Address("vision", 0, "mlp", 0)], []).shape == (len(POOLS), 0, 1)
        assert activations.maps(Address("vision", 0, "mlp", 0), []).shape[0] == 0
    assert meter.rows == activations.passes == 0


@pytest.mark.parametrize(
    ("scope", "plus", "minus"),
    [("visual", 0, 1), ("question", 3, 4), ("answer", 5, 5)],
)
def test_a_reading_means_one_end_of_one_pool(scope: Any, plus: int, minus: int) -> None:
    values = np.random.default_rng(0).normal(size=(len(POOLS), 3, 2)).astype(np.float32)
    high, low = Reading(sign="+", scope=scope), Reading(sign="-", scope=scope)
    assert (side(values, high) == values[plus]).all() and (side(values, low) == -values[minus]).all()
    assert (side_of(high).row, side_of(low).row) == (plus, minus)
    assert (turned(values, low) == -values).all() and (turned(values, high) == values).all()


def test_the_index_of_a_model_is_what_its_activations_say(llava: Target, tmp_path: Path) -> None:
    activations, pictures = ModelActivations(llava), RandomPictures(90)
    extent = adapter_for(llava).extent()
    with metered() as meter:
        index = build_index(activations, extent, pictures, tmp_path, fingerprint=llava.fingerprint)
    addresses = list(extent.all())
    assert index.components == tuple(addresses) and meter.rows == 90
    values = activations.pooled(addresses, [pictures.asked(number) for number in range(90)])
    for column in range(0, len(addresses), 9):
        entry = index.entry(addresses[column])
        for reading in entry.readings:
            stream = side(values, reading)[:, column]
            top = entry.exemplars(reading, 24)
            assert [e.value for e in top] == pytest.approx(sorted(stream, reverse=True)[:24], abs=1e-5)
            assert [stream[e.stimulus] for e in top] == pytest.approx([e.value for e in top], abs=1e-5)
            assert entry.side(reading).mean == pytest.approx(stream.mean(), abs=1e-5)


def test_the_embedded_model_gives_every_component_for_a_forward_pass(committed_weights: Path) -> None:
    target = open_target("tableau-llava", "cpu", weights=committed_weights)
    adapter = adapter_for(target)
    addresses = list(adapter.extent().all())
    stimuli = [
        replace(STIMULI[n], question=q) for n, q in enumerate(["what color is the star ?", "", "how ?"])
    ]
    values = ModelActivations(target, adapter).pooled(addresses, stimuli)
    assert len(addresses) == 5 * (256 + 4) + 6 * (288 + 4)
    vision = np.array([address.tower == "vision" for address in addresses])
    assert np.isnan(values[3:][:, :, vision]).all() and not np.isnan(values[:3]).any()
    alone = ModelActivations(target, adapter, batch=1).pooled(addresses, stimuli)
    np.testing.assert_allclose(alone, values, atol=1e-5, rtol=1e-5)
    heads = [address for address in addresses if address.part == "head"]
    assert (values[:3][:, :, [addresses.index(head) for head in heads]] >= 0).all()
