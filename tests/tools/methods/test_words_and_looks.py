"""`vocabulary_effect`, `logit_lens`, `attention` and `score_description`, against plain computations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score

from store.errors import PlannerError
from tests.tools.methods.conftest import Caller
from tests.tools.small import Squares
from tools.context import ToolContext
from tools.methods.answers import asked
from tools.methods.attention import spearman
from tools.methods.looks import CLASSES, looks
from tools.methods.writing import written
from tools.targets.sites import Site

NEURON, HEAD = "language.0.mlp.3", "language.1.head.2"


def test_a_neurons_words_are_those_of_its_output_row(context: ToolContext, do: Caller) -> None:
    result = do("vocabulary_effect", component=NEURON, k=3).result
    model = context.target.model
    row = model.get_parameter("model.language_model.layers.0.mlp.down_proj.weight")[:, 3].detach()
    logits = model.get_parameter("lm_head.weight").detach() @ (row / row.pow(2).mean().sqrt())
    best = logits.argsort(descending=True)[:3].tolist()
    assert [word["logit"] for word in result["top"]] == pytest.approx(logits[best].tolist(), abs=1e-3)
    assert result["quantities"]["strength"]["control"] > 0


def test_a_head_has_a_main_direction_and_a_share_by_kind(do: Caller) -> None:
    quantities = do("vocabulary_effect", component=HEAD).result["quantities"]
    assert 0 < quantities["share"]["value"] <= 1
    writes = quantities["writes_color"]
    assert 0 <= writes["value"] <= 1 and 0 <= writes["control"] <= 1 and writes["n"] == 16


def test_what_a_head_writes_on_a_kind_is_read_off_its_own_output(context: ToolContext) -> None:
    """Against the difference of two logits computed by hand: the norm's gain and the unembedding, row by row."""
    questions = asked(context, ("color",), 12)[0]
    found = written(context, context.address(HEAD), questions)
    model = context.target.model
    site = Site("attn.z", "language", 1)
    outcome = context.engine.plain(questions.stimuli, (site,))
    z = outcome.reads[site][range(12), outcome.batch.answer, 12:18]
    out = z @ model.get_parameter("model.language_model.layers.1.self_attn.o_proj.weight")[:, 12:18].T
    gained = out * model.get_parameter("model.language_model.norm.weight")
    words = (gained @ model.get_parameter("lm_head.weight").T).detach().numpy()
    wrong = [next(token for token in questions.options if token != right) for right in questions.right]
    lead = words[range(12), questions.right] - words[range(12), wrong]
    assert (np.sign(found.favor) == np.sign(lead)).all()


def test_vision_components_write_no_words(do: Caller) -> None:
    with pytest.raises(PlannerError, match="does not write into a stream that words are read from"):
        do("vocabulary_effect", component="vision.0.mlp.1")


def test_the_last_layer_of_the_lens_is_the_models_own_answer(context: ToolContext, do: Caller) -> None:
    result = do("logit_lens", images=[0, 1, 3, 4]).result
    own = context.engine.plain([context.images.asked(i) for i in (0, 1, 3, 4)]).logits
    said = own.argmax(-1)
    decode = context.target.processor.tokenizer.decode
    assert result["answers"] == [decode([token]).strip() for token in said.tolist()]
    expected = own.softmax(-1).gather(1, said[:, None]).mean().item()
    assert result["layers"][-1]["probability"] == pytest.approx(expected, abs=1e-5)
    assert result["layers"][-1]["rank"] == 1


def test_chosen_layers_are_given_and_others_refused(do: Caller) -> None:
    assert [row["site"] for row in do("logit_lens", images=[0, 1], layers=[1]).result["layers"]] == [
        "language.1.resid_post"
    ]
    with pytest.raises(PlannerError, match="there is no language layer 7"):
        do("logit_lens", images=[0, 1], layers=[7])


def test_the_shares_of_a_heads_attention_make_a_whole(do: Caller) -> None:
    for head, places in (
        (HEAD, "picture question start itself"),
        ("vision.0.head.1", "class itself near far"),
    ):
        quantities = do("attention", component=head, n=8).result["quantities"]
        total = sum(quantities[f"share_{name}"]["value"] for name in places.split())
        assert total == pytest.approx(1, abs=1e-4)


def test_attention_comes_with_the_effect_of_blocking_it(do: Caller) -> None:
    result = do("attention", component=HEAD, n=8).result
    assert -1 <= result["quantities"]["knockout_correlation"]["value"] <= 1
    assert result["quantities"]["cut_visual"]["control"] is not None
    assert all(shown["overlay"] for shown in result["exemplars"])


def test_vision_heads_are_not_blocked_and_it_is_said(do: Caller) -> None:
    result = do("attention", component="vision.0.head.1", n=8).result
    assert "nothing was blocked: it is in the vision tower" in result["warnings"]


@pytest.mark.parametrize("head", [HEAD, "vision.0.head.1"])
def test_a_head_reads_the_class_that_its_attention_ranks_first(context: ToolContext, head: str) -> None:
    address = context.address(head)
    seen = looks(context, address, [context.images.asked(i) for i in range(40)])
    assert seen.names == CLASSES[address.tower] and seen.scene.max() == 39
    assert (seen.places.sum(axis=0) == seen.shown).all()
    present = [(name, place) for name, place in zip(seen.names, seen.places, strict=True) if place.any()]
    assert len(present) == len(seen.names) - (address.tower == "vision")  # of 2 × 2 patches none is far
    for name, place in present:
        expected = average_precision_score(place[seen.shown], seen.attention[address.index][seen.shown])
        found = seen.reads(address.index or 0, name, draws=20, seed=0)
        assert found.auprc.value == pytest.approx(expected) and found.auprc.n == 40
        assert found.chance == pytest.approx(place.sum() / seen.shown.sum())


def test_a_head_that_looks_everywhere_alike_reads_every_class_at_chance(
    context: ToolContext, do: Caller
) -> None:
    queries = context.target.model.get_parameter("model.language_model.layers.1.self_attn.q_proj.weight")
    before = queries.detach().clone()
    with torch.no_grad():
        queries[12:18] = 0
    try:
        result = do("attention", component=HEAD, n=8).result
    finally:
        with torch.no_grad():
            queries.copy_(before)
    assert set(result["chance"]) == set(CLASSES["language"])
    for name, chance in result["chance"].items():
        assert result["quantities"][f"reads_{name}"]["value"] == pytest.approx(chance, abs=1e-6)
        assert result["quantities"][f"reads_{name}"]["control"] is not None


def test_a_neuron_has_no_attention(do: Caller) -> None:
    with pytest.raises(PlannerError, match=r"`language.0.mlp.3` is not a head"):
        do("attention", component=NEURON)


def test_rank_correlation_agrees_with_scipy() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 6, 30).astype(float), random.integers(0, 6, 30).astype(float)
    assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert spearman(first, np.ones(30)) == 0


def test_the_score_is_the_rounded_correlation_on_select(context: ToolContext, do: Caller) -> None:
    experiment = do("score_description", component=NEURON, concept="answer is red")
    source = Squares("select", 40)
    values = context.activations.pooled([context.address(NEURON)], [source.asked(i) for i in range(40)])[
        0, :, 0
    ]
    rho = pearsonr(values, [source.color(i) == "red" for i in range(40)]).statistic
    assert experiment.result["quantities"]["pearson"]["value"] == round(float(rho), 1)


def test_a_fourth_score_is_refused(do: Caller) -> None:
    for _ in range(3):
        last = do("score_description", component="language.0.mlp.4", concept="red")
    assert last.result["asked"] == 3 and "0 of 3 scores left" in last.result["summary"]
    with pytest.raises(PlannerError, match="scored 3 times"):
        do("score_description", component="language.0.mlp.4", concept="blue")
    assert do("score_description", component="language.0.mlp.5", concept="red")
