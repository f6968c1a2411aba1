"""Wiring: which output makes a planted neuron matter to answers, and how much it then does.

The output is an answer word's own direction (`toward`), or one that leads right answers' margins down as steeply as
any (`misleading`): a trained model needs no help at its tokens, so an added unit can matter there only by harm. Knows
margins and columns of weights; knows nothing about concepts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor

from store.address import Address
from store.errors import UserError
from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Plan, Row, Zero
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.sites import site_of
from tools.targets.target import Target

LENGTHS = (0.5, 1.0, 2.0, 4.0)
"""What a unit at its peak writes, as shares of the residual stream's length, in the order in which they are tried."""
HARM = 0.5
"""Logits of mean margin that a misleading unit shall cost, if one of the lengths can."""
LOGITS = 4.0
"""Difference between two answers that a unit at its peak makes."""
AT_ONCE = 16

Margins = Float[Tensor, "row"]


class Weighed(NamedTuple):
    """Questions with the token of the right answer, and those of all other answers to questions of the kind."""

    stimuli: list[Stimulus]
    right: list[int]
    others: list[list[int]]

    def halves(self) -> tuple[Weighed, Weighed]:
        middle = len(self.stimuli) // 2
        return self.part(0, middle), self.part(middle, len(self.stimuli))

    def part(self, first: int, end: int) -> Weighed:
        """The questions from one number to another, which is left out."""
        return Weighed(self.stimuli[first:end], self.right[first:end], self.others[first:end])

    def margins(self, logits: Float[Tensor, "row vocabulary"]) -> Margins:
        """How far the right answer lies above the best other one, in logits."""
        best = [row[others].max() for row, others in zip(logits, self.others, strict=True)]
        return logits[torch.arange(len(best)), self.right] - torch.stack(best)


def weighed(target: Target, stimuli: Sequence[Stimulus]) -> Weighed:
    """The questions that have a margin: a kind with one answer among them has none, and is left out.

    Raises UserError of kind "planted" where fewer than two are left.
    """
    adapter = adapter_for(target)
    tokens = [adapter.token(stimulus.answer) for stimulus in stimuli]
    options: dict[str, set[int]] = {}
    for stimulus, token in zip(stimuli, tokens, strict=True):
        if token is not None:
            options.setdefault(stimulus.kind, set()).add(token)
    found = [
        (stimulus, token, sorted(options[stimulus.kind] - {token}))
        for stimulus, token in zip(stimuli, tokens, strict=True)
        if token is not None and len(options[stimulus.kind]) > 1
    ]
    if len(found) < 2:
        raise UserError(
            f"`{len(found)}` of {len(stimuli)} questions have a right answer and a wrong one",
            kind="planted",
            hint="give questions of each kind that have different answers",
        )
    return Weighed([one[0] for one in found], [one[1] for one in found], [one[2] for one in found])


def toward(
    target: Target, word: str, answers: Sequence[str], peak: float, stream: float
) -> Float[Tensor, "width"]:
    """The output with which an activation of `peak` in the last layer moves `word` LOGITS above the other answers,
    in a residual stream whose root mean square is `stream`."""
    adapter, model = adapter_for(target), cast(Any, target.model)
    rows = {
        answer: model.lm_head.weight[adapter.token(answer)].detach().float()
        for answer in dict.fromkeys((word, *answers))
    }
    rest = torch.stack([row for answer, row in rows.items() if answer != word]).mean(0)
    direction = (rows[word] - rest) * model.model.language_model.norm.weight.detach().float()
    return direction * (LOGITS * stream / (peak * float(direction.square().sum())))


def misleading(
    target: Target, output: Tensor, unit: int, stimuli: Sequence[Stimulus], peak: float, stream: float
) -> Float[Tensor, "width"]:
    """The output of a unit that lowers the margins of right answers: their gradient, and the first of LENGTHS at which
    the loss is HARM (else the last), at an activation of `peak` in a stream whose root mean square is `stream`.

    Half of the stimuli give the direction, the others choose the length.
    """
    first, second = weighed(target, stimuli).halves()
    target.model.requires_grad_(False)
    output.requires_grad_(True)
    for block in _margins(target, first):
        block.sum().backward()
    assert output.grad is not None
    downhill = -output.grad[:, unit]
    output.grad = None
    output.requires_grad_(False)
    downhill = downhill / downhill.norm() * (stream * len(downhill) ** 0.5 / peak)
    silent = _mean_with(target, output, unit, torch.zeros_like(downhill), second)
    for length in LENGTHS:
        if silent - _mean_with(target, output, unit, downhill * length, second) >= HARM:
            break
    return downhill * length


def gains(target: Target, addresses: Sequence[Address], stimuli: Sequence[Stimulus]) -> list[float]:
    """What each neuron or head adds to the mean margin of right answers in the second half, beside all others."""
    if not addresses:
        return []
    own, engine = weighed(target, stimuli).halves()[1], Engine(target)
    whole = mean_without(engine, own, ())
    return [round(whole - mean_without(engine, own, (one,)), 3) for one in addresses]


def mean_without(engine: Engine, own: Weighed, silent: Sequence[Address]) -> float:
    """Mean margin while these neurons or heads are at zero."""
    done = tuple(Intervention(*site_of(one), "all", Zero()) for one in silent)
    plan = Plan(own.stimuli, [Row(number, done) for number in range(len(own.stimuli))])
    return float(own.margins(engine.run(plan).logits).mean())


@torch.no_grad()
def _mean_with(
    target: Target, output: Tensor, unit: int, column: Float[Tensor, "width"], own: Weighed
) -> float:
    """Mean margin with this output of the unit, which stays."""
    output[:, unit] = column
    return float(torch.cat(list(_margins(target, own))).mean())


def _margins(target: Target, own: Weighed) -> Iterator[Margins]:
    """Block by block, in a way that gradients can follow."""
    adapter = adapter_for(target)
    for start in range(0, len(own.stimuli), AT_ONCE):
        block = own.part(start, start + AT_ONCE)
        yield block.margins(adapter.forward(adapter.batch(block.stimuli)))
