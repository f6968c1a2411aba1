"""Logits that are no numbers are refused, with how many rows they are; −∞ rules a token out and is none of them."""

from __future__ import annotations

import pytest
import torch

from store.errors import UserError
from tools.engine.sound import sound


@pytest.mark.parametrize("broken", [torch.nan, torch.inf])
def test_rows_without_numbers_are_counted(broken: float) -> None:
    logits = torch.zeros(4, 5)
    logits[1, 2] = logits[3, 0] = logits[3, 4] = broken
    with pytest.raises(UserError, match="`tiny` answers 2 of 4 rows with no finite numbers") as refused:
        sound(logits, "tiny")
    assert refused.value.kind == "numbers" and "--dtype float32" in refused.value.hint


def test_a_token_that_is_ruled_out_is_a_number() -> None:
    logits = torch.tensor([[0.0, -torch.inf]])
    assert sound(logits, "tiny") is logits
