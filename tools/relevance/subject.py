"""What a map is of: one answer to one question about one picture, and runs in which parts of the picture are gone.

A picture token is taken away by putting its embedding at an empty value: the mean over a reference set, or zero. Knows
stimuli and the engine; knows nothing about maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Plan, Row, Set
from tools.stimuli import Stimulus
from tools.targets.batch import CLASSES
from tools.targets.sites import EMBED


@dataclass(frozen=True, eq=False)
class Subject:
    """`said` leads `rival`, the next best word, by `lead` logits, at `probability`. `visual` are the picture's tokens,
    counted from the row's first. `empty` is what stands in the place of one that is taken away."""

    stimulus: Stimulus
    said: int
    rival: int
    lead: float
    probability: float
    visual: tuple[int, ...]
    empty: Float[Tensor, "width"]

    def leads(self, logits: Float[Tensor, "row vocabulary"]) -> Float[Tensor, "row"]:
        """By how many logits the answer leads its rival, in each row."""
        return logits[:, self.said] - logits[:, self.rival]


def subject(engine: Engine, stimulus: Stimulus, empty: Float[Tensor, "width"]) -> Subject:
    """The target's own answer about the stimulus, and the word that came next."""
    outcome = engine.plain([stimulus])
    logits = outcome.logits[0].float()
    said, rival = (int(token) for token in logits.topk(2).indices)
    seen = outcome.batch.where("language", "visual")[0].nonzero()[:, 0] - outcome.batch.first[0]
    return Subject(
        stimulus,
        said,
        rival,
        float(logits[said] - logits[rival]),
        float(logits.softmax(-1)[said]),
        tuple(map(int, seen)),
        empty,
    )


def mean_token(means: Float[Tensor, "class width"]) -> Float[Tensor, "width"]:
    """What the reference means say of a picture token."""
    return means[CLASSES.index("visual")]


def without(
    engine: Engine, subject: Subject, sets: Sequence[Sequence[int]]
) -> Float[Tensor, "set vocabulary"]:
    """Logits after each set of tokens (numbers into `visual`) was taken away, exactly."""
    rows = []
    for tokens in sets:
        places = tuple(subject.visual[token] for token in tokens)
        gone = (Intervention(EMBED, None, places, Set(subject.empty)),) if places else ()
        rows.append(Row(0, gone))
    return engine.run(Plan([subject.stimulus], rows)).logits.float().cpu()
