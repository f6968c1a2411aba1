"""`tuned_lens` through the door."""

from __future__ import annotations

from tests.tools.methods.conftest import Caller
from tools.context import ToolContext
from tools.tuned import Translators


def test_layers_are_told_with_and_without_their_translator(context: ToolContext, do: Caller) -> None:
    result = do("tuned_lens", train=40, n=8).result
    (row,) = result["layers"]
    assert row["site"] == "language.0.resid_post"
    told = result["quantities"]["kl language.0.resid_post"]
    assert told["value"] == row["kl"] and told["control"] == row["plain"] and told["n"] == 8
    assert 0 <= row["kl"] < row["plain"]
    kept = Translators.from_bytes(context.store.artifacts.get(result["translators"]))
    assert kept.slope.shape == (1, 24, 24)


def test_translators_are_trained_once_and_kept(do: Caller) -> None:
    first, again = (do("tuned_lens", train=24, n=n).result for n in (4, 8))
    assert again["translators"] == first["translators"]
    assert again["cost"]["forwards"] == 8 < first["cost"]["forwards"]
    other = do("tuned_lens", train=16, n=4).result
    assert other["translators"] != first["translators"]


def test_pictures_that_were_trained_on_are_named_in_a_warning(do: Caller) -> None:
    assert do("tuned_lens", images=list(range(20)), train=56).result["warnings"] != []
    assert do("tuned_lens", train=40, n=8).result["warnings"] == []
