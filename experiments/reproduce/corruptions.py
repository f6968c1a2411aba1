"""Semantic image pairs (SIP; NOTICE, Golovanevsky et al. 2024): the picture is edited so that the right answer changes.

Knows questions and the edits that turn their answers. Knows nothing about targets, nor who edits pictures. The other
two corruptions are another word (experiments/tableau/replacement.py) and noise (tools/methods/corruptions.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments.reproduce.edits import wishes
from experiments.tableau.parse import parse
from experiments.tableau.recall import recall
from store.errors import UserError
from tools.stimuli import ImageEditor, Stimulus


def image_pair(stimulus: Stimulus, editor: ImageEditor, rng: np.random.Generator) -> Stimulus | None:
    """The same question before an edited picture in which its right answer is another one; None where no edit is
    carried out.

    An editor that knows answers must agree with the answer that the instruction promises.
    """
    question, seen = parse(stimulus.question), recall(stimulus.key).scene
    if question is None:
        return None
    for wish in wishes(question, seen, stimulus.answer, rng):
        try:
            made = editor.edit(stimulus, wish.instruction, int(rng.integers(2**16)))
        except UserError:
            continue
        if made.question == stimulus.question and made.answer in ("", wish.answer):
            return replace(made, answer=wish.answer, kind=stimulus.kind)
    return None
