"""Logits that are numbers: a model whose numbers overflow says so, in place of an effect of zero.

Knows NaN and infinity; knows nothing about rows or tokens. A logit of −∞ is a token that a model rules
out, which is its right.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, inf

from store.errors import UserError


def sound(logits: Float[Tensor, "row vocabulary"], target: str) -> Float[Tensor, "row vocabulary"]:
    """The same logits. Raises UserError of kind "numbers" where a row's are NaN or +∞."""
    broken = int((logits.isnan() | (logits == inf)).any(-1).sum())
    if broken:
        raise UserError(
            f"`{target}` answers {broken} of {len(logits)} rows with no finite numbers (NaN or infinite)",
            kind="numbers",
            hint="a weaker intervention may keep them finite, or a wider number format: `--dtype float32`",
        )
    return logits
