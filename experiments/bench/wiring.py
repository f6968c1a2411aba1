"""Wiring: which output makes a planted neuron matter to answers, and how much it then does.

The output is an answer word's own direction (`toward`), or one that leads right answers' margins down as steeply as
any (`misleading`): a trained model needs no help at its tokens, so an added unit can matter there only by harm. Knows
margins and columns of weights; knows nothing about concepts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

LENGTHS = (0.5, 1.0, 2.0, 4.0)
"""What a unit at its peak writes, as shares of the residual stream's length, in the order in which they are tried."""
HARM = 0.5
"""Logits of mean margin that a misleading unit shall cost, if one of the lengths can."""
LOGITS = 4.0
"""Difference between two answers that a unit at its peak makes."""
AT_ONCE = 16

Margins = Float[Tensor, "row"]


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
    half = len(stimuli) // 2
    target.model.requires_grad_(False)
    output.requires_grad_(True)
    for block in _margins(target, stimuli, range(half)):
        block.sum().backward()
    assert output.grad is not None
    downhill = -output.grad[:, unit]
    output.grad = None
    output.requires_grad_(False)
    downhill = downhill / downhill.norm() * (stream * len(downhill) ** 0.5 / peak)
    silent = mean_with(target, output, unit, torch.zeros_like(downhill), stimuli)
    for length in LENGTHS:
        if silent - mean_with(target, output, unit, downhill * length, stimuli) >= HARM:
            break
    return downhill * length


def gain(target: Target, output: Tensor, unit: int | slice, stimuli: Sequence[Stimulus]) -> float:
    """What an output (of a unit, or all of a head) adds to the mean margin of right answers in the second half."""
    column = output[:, unit].detach().clone()
    silent = mean_with(target, output, unit, torch.zeros_like(column), stimuli)
    wired = mean_with(target, output, unit, column, stimuli)
    return round(wired - silent, 3)


@torch.no_grad()
def mean_with(
    target: Target,
    output: Tensor,
    unit: int | slice,
    column: Float[Tensor, "width ..."],
    stimuli: Sequence[Stimulus],
) -> float:
    """Mean margin in the second half of the stimuli with this output, which stays."""
    output[:, unit] = column
    rows = range(len(stimuli) // 2, len(stimuli))
    return float(torch.cat(list(_margins(target, stimuli, rows))).mean())


def _margins(target: Target, stimuli: Sequence[Stimulus], rows: range) -> Iterator[Margins]:
    """How far the right answer's logit lies above the best other answer of its kind, block by block."""
    adapter = adapter_for(target)
    right = [adapter.token(stimulus.answer) or 0 for stimulus in stimuli]
    options: dict[str, set[int]] = {}
    for stimulus, token in zip(stimuli, right, strict=True):
        options.setdefault(stimulus.kind, set()).add(token)
    for start in range(rows.start, rows.stop, AT_ONCE):
        block = list(range(start, min(start + AT_ONCE, rows.stop)))
        logits = adapter.forward(adapter.batch([stimuli[row] for row in block]))
        others = torch.stack(
            [
                logits[place, sorted(options[stimuli[row].kind] - {right[row]})].max()
                for place, row in enumerate(block)
            ]
        )
        yield logits[torch.arange(len(block)), [right[row] for row in block]] - others
