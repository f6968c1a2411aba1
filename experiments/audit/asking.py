"""Replies of a target to many questions: one decision at the answer position, or in full where a word says too little.

Knows the engine, so that the same questions can be asked with components silenced; knows nothing about what a reply
means. A reply is lower case, without the space around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from experiments.audit.survey import Replies, Survey
from tools.methods.answers import run
from tools.stimuli import Stimulus
from tools.targets.answer import answer

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.plan import Intervention

BATCH = 32
Progress = Callable[[str, int, int], None]


def replies(
    context: ToolContext,
    stimuli: Sequence[Stimulus],
    *,
    done: Sequence[tuple[Intervention, ...]] = (),
    words: int = 1,
    progress: Progress = lambda *_: None,
) -> list[str]:
    """What is said to each question; `done` says for each what is done to its run, only where one word is asked for."""
    each = list(done) or [()] * len(stimuli)
    said: list[str] = []
    for start in range(0, len(stimuli), BATCH):
        block = list(stimuli[start : start + BATCH])
        if words == 1:
            tokens = run(context, block, each[start : start + BATCH]).argmax(dim=1).tolist()
            told = [str(context.target.processor.tokenizer.decode([token])) for token in tokens]
        else:
            questions, pictures = [one.question for one in block], [one.image for one in block]
            told = answer(context.target, questions, pictures, max_new_tokens=words, batch_size=BATCH)
        said += [one.strip().lower() for one in told]
        progress("questions", len(said), len(stimuli))
    return said


def polled(
    context: ToolContext,
    survey: Survey,
    *,
    progress: Progress = lambda *_: None,
) -> dict[str, list[bool]]:
    """By arm, for which of its probes the replies are of the kind that is counted. A question is asked once."""
    stimuli = {one.key: one for arm in survey.arms.values() for probe in arm for one in probe.asked}
    told = replies(context, list(stimuli.values()), words=survey.words, progress=progress)
    said = dict(zip(stimuli, told, strict=True))

    def heard(asked: Sequence[Stimulus]) -> Replies:
        return tuple(said[one.key] for one in asked)

    return {name: [probe.holds(heard(probe.asked)) for probe in arm] for name, arm in survey.arms.items()}
