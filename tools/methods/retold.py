"""What a target writes, word after word, while some visual tokens stand at their mean: greedy, with cached keys.

The tokens are written once, where the prompt enters the decoder; every word after it reads them from there. Knows taps
and generation; knows nothing about what a text should say. Not a tool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tools.meter import count
from tools.methods.token_ablation import visual_places
from tools.methods.token_sets import Tokens
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.engine.engine import Engine
    from tools.engine.plan import Mean
    from tools.targets.adapter import Tap

AT_ONCE = 32


def retold(
    engine: Engine,
    stimuli: Sequence[Stimulus],
    chosen: Sequence[Tokens],
    mean: Mean,
    longest: int,
) -> list[str]:
    """The text after each stimulus's prompt, of at most `longest` tokens; with no token chosen, the untouched one.

    Raises HookDidNotFire when the prompt did not pass where it was to be written.
    """
    found: list[str] = []
    for start in range(0, len(stimuli), AT_ONCE):
        found += _retold(
            engine, stimuli[start : start + AT_ONCE], chosen[start : start + AT_ONCE], mean, longest
        )
    return found


def _retold(
    engine: Engine, stimuli: Sequence[Stimulus], chosen: Sequence[Tokens], mean: Mean, longest: int
) -> list[str]:
    import torch

    from tools.targets.batch import CLASSES
    from tools.targets.sites import Site

    batch = engine.adapter.batch(list(stimuli))
    meant = torch.zeros_like(batch.visual)
    for row, (places, tokens) in enumerate(zip(visual_places(batch), chosen, strict=True)):
        meant[row, torch.as_tensor(places[tokens] + int(batch.first[row]))] = True
    prompt = {name: tensor for name, tensor in batch.inputs.items() if name != "position_ids"}
    tokenizer = engine.target.processor.tokenizer
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    generate = cast(Any, engine.target.model).generate
    tap, value = engine.adapter.tap(Site("embed")), mean.means[CLASSES.index("visual")]
    with torch.no_grad(), _written(tap, meant, value):
        tokens_out = generate(**prompt, max_new_tokens=longest, do_sample=False, pad_token_id=int(pad))
    count(len(stimuli))
    written = tokens_out[:, prompt["input_ids"].shape[1] :]
    return [text.strip() for text in tokenizer.batch_decode(written, skip_special_tokens=True)]


@contextmanager
def _written(tap: Tap, meant: Tensor, value: Tensor) -> Iterator[None]:
    """While the block runs, the prompt's chosen positions stand at `value` where they enter the decoder."""
    from tools.engine.hooks import HookDidNotFire

    fired = 0

    def write(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        nonlocal fired
        stream = given[0] if given else named["hidden_states"]
        if stream.shape[:2] == meant.shape:
            fired += 1
            stream[meant] = value.to(stream)

    handle = tap.module.register_forward_pre_hook(write, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
    if fired != 1:
        raise HookDidNotFire(f"the prompt passed `{tap.site}` {fired} times, not once")


def named_in(text: str, words: Sequence[str]) -> bool:
    """Whether a text says one of the words, whole and in any case. An empty text says nothing.

    Raises ValueError for no words, or an empty one: every text would say it.
    """
    if not words or not all(word.strip() for word in words):
        raise ValueError(f"a text can't be searched for {list(words)}")
    told = f" {' '.join(_letters(text))} "
    return any(f" {' '.join(_letters(word))} " in told for word in words)


def _letters(text: str) -> list[str]:
    plain = "".join(letter if letter.isalnum() else " " for letter in text.lower())
    return plain.split()


def empty_share(texts: Sequence[str]) -> float:
    """The share of texts that say nothing at all."""
    return float(np.mean([not text.strip() for text in texts]))
