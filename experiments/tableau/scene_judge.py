"""The scorer's judge of painted scenes: the scene graph itself, which is never wrong.

Fulfils `tools.judging.StimulusJudge`. Knows stimuli by their keys; from pixels alone it can say nothing, and refuses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float32
from PIL import Image

from experiments.judges import SCENE_GRAPH
from experiments.tableau.concepts import ADJECTIVES, NOUNS
from experiments.tableau.recall import recall
from experiments.tableau.statements import FORMS, holds, read_statement
from store.errors import UserError
from tools.stimuli import Stimulus


class SceneJudge:
    """Truth as a probability of 0 or 1."""

    name = SCENE_GRAPH

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what each word means, and of the forms of statements."""
        meanings = sorted(
            f"{word} {attribute} {sorted(allowed)}"
            for table in (ADJECTIVES, NOUNS)
            for word, (attribute, allowed) in table.items()
        )
        return hashlib.sha256("|".join([*meanings, *FORMS]).encode()).hexdigest()

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        """Refuses: a scene graph belongs to a stimulus, not to pixels."""
        raise UserError(
            "the scene graph judges stimuli, not `pictures` alone",
            kind="judge",
            hint="call `judge_matrix`, or take a judge that sees",
        )

    def present_stimuli(
        self, stimuli: Sequence[Stimulus], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "stimulus phrase"]:
        """Whether each phrase holds in the scene behind each stimulus.

        Raises UserError for a phrase that is not understood, or a stimulus that is no painted picture.
        """
        statements = [read_statement(phrase) for phrase in phrases]
        scenes = [recall(stimulus.key).scene for stimulus in stimuli]
        true = [[holds(statement, seen) for statement in statements] for seen in scenes]
        return np.array(true, dtype=np.float32).reshape(len(scenes), len(statements))
