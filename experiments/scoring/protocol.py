"""The protocol: how true frozen words are, by values that the words were not made from and a judge that can't see them.

One set of resamples serves all components, so every difference is paired. Knows metrics, control and null; knows
nothing about where values come from, who wrote the words, or how scores are kept (seal.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from experiments.scoring.judged import WORDS, Judged
from store.errors import UserError
from store.records import Reading, Score, Status
from store.values import Estimate
from tools.scoring.bootstrap import DRAWS, Resampled, Resamples, resampled, resamples
from tools.scoring.concept import concept_values, phrases
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.correlation import correlations, p_values, pearson
from tools.scoring.importance import Sample
from tools.scoring.retrieval import active, auprc, overlap

NAMES = ("pearson", "auprc", "f1", "iou", "p_concept_given_active", "p_active_given_concept")
PRIMARY = "pearson"
ACCURATE = 0.3
"""What the lower end of ρ's 95 % interval must exceed for words to be accurate."""
SURE = 0.05
"""What q, which is p corrected for all components tested together, must stay below for words to be accurate."""
MOSTLY = 0.9
"""A phrase that holds in more stimuli than this predicts nothing, and is no control."""
SAME = 0.95
"""Correlation of two phrases' presences above which they say the same."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is scored: the concept as the frozen description has it, of one side of a component."""

    component: str
    reading: Reading
    concept: str
    null: float | None = None
    """What untrained units of the same site reach with a phrase of this class (null.py)."""


@dataclass(frozen=True, slots=True)
class Control:
    """The most frequent phrase (that says something else), its ρ, and how far the concept's ρ lies above it."""

    phrase: str
    rho: float
    margin: Estimate


@dataclass(frozen=True)
class Scored:
    """A subject's scores by NAMES, all 0 where it could not be scored, for `reason`.

    The primary score has p of "ρ is 0", and q, which is p corrected across components (Benjamini and Hochberg 1995).
    """

    subject: Subject
    scores: dict[str, Score]
    control: Control | None
    reason: str = ""

    @property
    def pearson(self) -> Score:
        return self.scores[PRIMARY]

    @property
    def status(self) -> Status:
        """`verified` when ρ is surely above ACCURATE, surely above the control's, and no chance find among many."""
        accurate = self.pearson.ci[0] > ACCURATE
        beats = self.control is None or self.control.margin.low > 0
        found = self.pearson.q is None or self.pearson.q < SURE
        return "verified" if accurate and beats and found else "unverified"


def score(
    subjects: Sequence[Subject],
    values: Float[np.ndarray, "stimulus subject"],
    judged: Judged,
    *,
    vocabulary: Sequence[str] = (),
    planner_judge: str = "",
    others: Sequence[float] = (),
    groups: Sequence[Hashable] | None = None,
    sample: Sample | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Scored]:
    """Scores of all subjects, in order. `values` are of the judge's stimuli, turned so that larger means more.

    `vocabulary` holds the phrases from which the control is taken; `groups[i]` is the scene of stimulus i (by default
    each is its own). A concept that the judge can't read, or a side without values, scores 0: nothing is dropped.
    `others` are p-values of components that belong to the same family and are not scored here: q counts them as well.
    Of a `sample` the judge sees those stimuli alone, each of which stands for as many as its weight says; values, which
    cost nothing, are those of all stimuli even then.
    """
    if values.shape != (len(judged), len(subjects)):
        raise ValueError(f"{len(judged)} stimuli × {len(subjects)} subjects have no values {values.shape}")
    usable = np.isfinite(values).all(axis=0)
    numbers = np.where(usable, values, 0.0).astype(np.float64)
    truth, scenes = active(numbers), list(groups) if groups is not None else list(range(len(judged)))
    if sample is not None:
        judged, numbers, truth = judged.part(sample.rows), numbers[sample.rows], truth[sample.rows]
        scenes = [scenes[row] for row in sample.rows]
    concepts, reasons = _presences(subjects, usable, judged, vocabulary)
    drawn = resamples(scenes, draws=draws, seed=seed)
    if sample is not None:
        drawn = drawn.standing_for(sample.weights)
    metrics = _metrics(numbers, truth, concepts, drawn)
    columns = _columns(vocabulary, judged, drawn.weights[0])
    controls = _controls(numbers, concepts, metrics[PRIMARY], drawn, columns)
    estimates = {name: metric.estimates() for name, metric in metrics.items()}
    p, mark = p_values(metrics[PRIMARY]), judged.mark(planner_judge)
    q = benjamini_hochberg([*p, *others])
    return [
        Scored(
            subject,
            {
                name: Score(
                    value=table[place].value,
                    ci=(table[place].low, table[place].high),
                    n=len(judged),
                    split=judged.split,
                    null=subject.null if name == PRIMARY else None,
                    judge=mark,
                    p=float(p[place]) if name == PRIMARY else None,
                    q=float(q[place]) if name == PRIMARY else None,
                )
                for name, table in estimates.items()
            },
            controls[place],
            reasons[place],
        )
        for place, subject in enumerate(subjects)
    ]


def _presences(
    subjects: Sequence[Subject],
    usable: Bool[np.ndarray, "subject"],
    judged: Judged,
    vocabulary: Sequence[str],
) -> tuple[Float[np.ndarray, "stimulus subject"], list[str]]:
    """Presence of every concept, nowhere where it can't be scored, and why not."""
    found, reasons = np.zeros((len(judged), len(subjects))), [""] * len(subjects)
    judged.prepare([*(phrase for subject in subjects for phrase in _phrases(subject)), *vocabulary])
    for place, subject in enumerate(subjects):
        if not usable[place]:
            reasons[place] = f"there are no values {subject.reading}"
            continue
        try:
            found[:, place] = concept_values(subject.concept, judged.column)
        except UserError as error:
            if error.kind not in WORDS:
                raise
            reasons[place] = error.message
    return found, reasons


def _metrics(
    values: Float[np.ndarray, "stimulus subject"],
    active_on: Bool[np.ndarray, "stimulus subject"],
    concepts: Float[np.ndarray, "stimulus subject"],
    drawn: Resamples,
) -> dict[str, Resampled]:
    """By NAMES; a concept that holds nowhere retrieves nothing, whatever the share of active stimuli is."""
    truth = active_on & concepts.any(axis=0)
    both = overlap(truth, concepts, drawn.weights)
    rows = (
        pearson(values, concepts, drawn.weights),
        auprc(truth, concepts, drawn.weights),
        both.f1,
        both.iou,
        both.concept_given_active,
        both.active_given_concept,
    )
    return {name: resampled(row, drawn) for name, row in zip(NAMES, rows, strict=True)}


def _controls(
    values: Float[np.ndarray, "stimulus subject"],
    concepts: Float[np.ndarray, "stimulus subject"],
    rho: Resampled,
    drawn: Resamples,
    columns: dict[str, Float[np.ndarray, "stimulus"]],
) -> list[Control | None]:
    """For each subject the most frequent phrase that says something else than its concept, if there is one."""
    if not columns:
        return [None] * values.shape[1]
    names, table = list(columns), np.array(list(columns.values()))
    same = correlations(table, concepts) > SAME
    order = np.argsort(-np.average(table, axis=1, weights=drawn.weights[0]), kind="stable")
    chosen = order[(~same[order]).argmax(axis=0)]
    margin = rho - resampled(pearson(values, table[chosen].T, drawn.weights), drawn)
    return [
        None if same[:, place].all() else Control(names[rival], float(rho.value[place] - apart.value), apart)
        for place, (rival, apart) in enumerate(zip(chosen, margin.estimates(), strict=True))
    ]


def _columns(
    vocabulary: Sequence[str], judged: Judged, weights: Float[np.ndarray, "stimulus"]
) -> dict[str, Float[np.ndarray, "stimulus"]]:
    """Presences of those phrases that the judge knows, and that hold in some stimuli but not in nearly all."""
    found = {}
    for phrase in vocabulary:
        if judged.knows(phrase) and 0 < np.average(judged.column(phrase), weights=weights) <= MOSTLY:
            found[phrase] = judged.column(phrase)
    return found


def _phrases(subject: Subject) -> tuple[str, ...]:
    try:
        return phrases(subject.concept)
    except UserError:
        return ()
