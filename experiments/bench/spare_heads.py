"""Which heads of a model can be overwritten: those without which it answers almost as well, all of them together.

Heads back each other up, so they are silenced one after the other, the least needed first, and the loss counts as a
whole. Knows margins; knows nothing about what is planted in their place.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiments.bench.wiring import mean_without, weighed
from store.address import Address
from store.errors import UserError
from tools.engine.engine import Engine
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

FIRST_LAYER = 4
"""Earlier layers have not yet brought the question to where the answer is predicted: in layers 2 to 5 of the embedded
model a linear probe there reads the asked shape of 0.59, 0.68, 0.93 and 0.99 of 68 color questions."""
SPARED = 0.1
"""Share of right answers' mean margin that may be lost with all spare heads together."""


def spare_heads(target: Target, stimuli: Sequence[Stimulus], first_layer: int = FIRST_LAYER) -> list[Address]:
    """Heads of the decoder, from a layer on, that can all be silenced at once on these questions, the least needed
    first."""
    extent = adapter_for(target).extent().towers["language"]
    every = [
        Address("language", layer, "head", head)
        for layer in range(first_layer, extent.layers)
        for head in range(extent.heads)
    ]
    own, engine = weighed(target, stimuli), Engine(target)
    whole = mean_without(engine, own, ())
    left = {one: mean_without(engine, own, (one,)) for one in every}
    spare: list[Address] = []
    for one in sorted(every, key=lambda one: -left[one]):
        if whole - mean_without(engine, own, (*spare, one)) > SPARED * abs(whole):
            break
        spare.append(one)
    return spare


def chosen(spare: Sequence[Address], n: int, target: str) -> list[Address]:
    """The first `n` of the spare heads. Raises UserError of kind "planted" where there are fewer."""
    if len(spare) < n:
        raise UserError(
            f"`{n}` heads can't be planted: {target} can spare {len(spare)}",
            kind="planted",
            hint=f"plant at most {len(spare)}",
        )
    return list(spare[:n])
