"""The checks that published scores fail, on painted scenes and every phrase that the null is searched for.

Labels that are half right, chance of every kind, words above and below the right ones, and units whose concept is known
by construction. test_protocol.py has the same laws on arrays; nulls of untrained copies are tested in test_null.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float

from experiments.bench.function_units import FunctionUnits
from experiments.bench.kinds import FunctionUnit, Kind
from experiments.scoring.judged import Judged
from experiments.scoring.protocol import NAMES, Scored, Subject, score
from experiments.tableau.scene_judge import SceneJudge
from experiments.tableau.searched import searched_phrases
from experiments.tableau.source import TableauSource
from tests.experiments.bench.test_function_units import SEEN, Sevens
from tests.experiments.scoring.facts import HIGH, Facts, Table
from tools.scoring.concept import concept_values

SCENES, N = 250, 4000
SOUND = ("pearson", "auprc", "f1", "iou")
RATES = (0.5, 0.2, 0.05, 0.01, 0.005, 0.001)
Values = Float[np.ndarray, "stimulus"]


@pytest.fixture(scope="module")
def world() -> Judged:
    judged = Judged(SceneJudge(), TableauSource("test", SCENES), name="scene graph")
    judged.prepare(searched_phrases())
    return judged


def values_of(concept: str, kind: Kind = "single", exception: str = "", weaker: float = 1.0) -> Values:
    """What a function unit of this concept says of every scene, with its noise."""
    unit = FunctionUnit(SEEN, kind, concept, 2.0, 5, exception, weaker)
    source = TableauSource("test", SCENES)
    shown = [source.asked(number) for number in range(SCENES)]
    pooled = FunctionUnits(Sevens(), [unit]).pooled([SEEN], shown)[0, :, 0]
    return np.asarray(pooled, dtype=np.float64)


def scored(values: Values, judged: Judged, concepts: tuple[str, ...], draws: int = 2) -> list[Scored]:
    """Every concept for one component; where only values are compared, two draws will do."""
    subjects = [Subject(str(SEEN), HIGH, concept) for concept in concepts]
    return score(
        subjects,
        np.repeat(values[:, None], len(concepts), axis=1),
        judged,
        vocabulary=searched_phrases() if draws > 2 else (),
        draws=draws,
    )


def of_labels(values: Values, *labels: Values) -> list[Scored]:
    columns = {f"label {place}": label for place, label in enumerate(labels)}
    return scored(values, Judged(Table(columns), Facts(len(values)), name="table"), tuple(columns))


def fires(rate: float, rng: np.random.Generator) -> Values:
    """Where a unit fires, in exactly this share of stimuli."""
    return rng.permutation(np.arange(N) < round(rate * N)).astype(float)


@pytest.mark.parametrize("rate", RATES)
def test_missing_labels_lower_the_score_at_every_firing_rate(rate: float) -> None:
    rng = np.random.default_rng(0)
    true = fires(rate, rng)
    missing = true * (rng.random(N) < 0.5)
    right, fewer = of_labels(true * (1 + rng.random(N)), true, missing)
    assert 0 < missing.sum() < true.sum()
    for name in SOUND:
        assert fewer.scores[name].value < 0.95 * right.scores[name].value, name


@pytest.mark.parametrize("rate", RATES)
def test_extra_labels_lower_the_score_at_every_firing_rate(rate: float) -> None:
    rng = np.random.default_rng(0)
    true = fires(rate, rng)
    extra = true.copy()
    extra[rng.choice(np.flatnonzero(true == 0), int(true.sum()), replace=False)] = 1
    right, more = of_labels(true * (1 + rng.random(N)), true, extra)
    for name in SOUND:
        assert more.scores[name].value < 0.95 * right.scores[name].value, name


@pytest.mark.parametrize("rate", [0.01, 0.001])
def test_a_label_of_twice_the_scope_that_balanced_detection_does_not_see_is_seen(rate: float) -> None:
    rng = np.random.default_rng(0)
    true = fires(rate, rng)
    extra = true.copy()
    extra[rng.choice(np.flatnonzero(true == 0), int(true.sum()), replace=False)] = 1
    balanced = (extra[true == 1].mean() + (1 - extra[true == 0]).mean()) / 2
    (more,) = of_labels(true, extra)
    assert balanced > 0.99 and more.pearson.value == pytest.approx(np.sqrt(0.5), abs=0.01)


@pytest.mark.parametrize("concept", ["red thing", "star", "striped thing"])
def test_shuffled_labels_score_at_chance(concept: str, world: Judged) -> None:
    values, rng = values_of(concept), np.random.default_rng(0)
    truth = world.column(concept)
    right, *shuffled = of_labels(values, truth, *(rng.permutation(truth) for _ in range(40)))
    found = np.array([one.pearson.value for one in shuffled])
    assert right.pearson.value > 0.9
    assert abs(found.mean()) < 0.03 and found.std() == pytest.approx(1 / np.sqrt(SCENES), rel=0.3)
    assert all(one.status == "unverified" for one in shuffled)


@pytest.mark.parametrize("constant", ["thing | !thing", "thing & !thing"])
def test_a_constant_concept_scores_zero_and_not_nan(constant: str, world: Judged) -> None:
    (found,) = scored(values_of("star"), world, (constant,), draws=50)
    assert (found.pearson.value, found.pearson.ci, found.status) == (0, (0, 0), "unverified")
    assert np.isfinite([found.scores[name].value for name in NAMES]).all()


@pytest.mark.parametrize("concept", ["red thing", "striped star", "cyan thing"])
def test_the_most_frequent_concept_scores_about_chance(concept: str, world: Judged) -> None:
    often = max(searched_phrases(), key=lambda phrase: float(world.column(phrase).mean()))
    (found,) = scored(values_of(concept), world, (often,), draws=100)
    assert world.column(often).mean() > 0.5
    assert abs(found.pearson.value) < 0.25 and found.status == "unverified"


def test_random_texts_score_at_chance_and_are_not_verified(world: Judged) -> None:
    rng = np.random.default_rng(0)
    apart = tuple(phrase for phrase in searched_phrases() if "red" not in phrase)
    texts = tuple(rng.choice(apart, size=60, replace=False).tolist())
    found = scored(values_of("red thing"), world, texts, draws=100)
    assert abs(np.median([one.pearson.value for one in found])) < 0.05
    assert not any(one.status == "verified" for one in found)


@pytest.mark.parametrize(
    ("concept", "synonyms"),
    [
        ("red thing", ("red", "crimson", "a red thing", "RED THING")),
        ("red thing | star", ("star | red thing", "!(!star & !red thing)", "red thing | star | red thing")),
        ("star & !red thing", ("!red thing & star", "!(red thing | !star)")),
    ],
)
def test_synonyms_tie(concept: str, synonyms: tuple[str, ...], world: Judged) -> None:
    values = world.column("star") + 0.3 * np.random.default_rng(0).normal(size=SCENES)
    right, *same = scored(values, world, (concept, *synonyms))
    assert right.pearson.value != 0
    for one in same:
        for name in NAMES:
            assert one.scores[name].value == pytest.approx(right.scores[name].value, abs=1e-12)


@pytest.mark.parametrize(
    ("concept", "wider", "narrower"),
    [
        ("red thing", ("warm thing", "thing", "red thing | star"), ("red star", "large red thing")),
        ("star", ("star | moon", "thing"), ("striped star", "star & dark background")),
    ],
)
def test_hypernyms_and_hyponyms_score_lower(
    concept: str, wider: tuple[str, ...], narrower: tuple[str, ...], world: Judged
) -> None:
    """By the primary score. What is active is the top 5 % for the others, of which a narrower phrase may say more by
    chance where the unit fires more often than that."""
    right, *others = scored(values_of(concept), world, (concept, *wider, *narrower))
    assert right.pearson.value > 0.9
    for one in others:
        assert one.pearson.value < 0.95 * right.pearson.value, one.subject.concept


@pytest.mark.parametrize(
    "concept",
    ["red thing", "purple thing", "star", "dotted thing", "red star", "dark background", "small thing"],
)
def test_function_units_of_one_phrase_rank_it_first_among_all_searched_phrases(
    concept: str, world: Judged
) -> None:
    phrases = searched_phrases()
    found = scored(values_of(concept), world, phrases)
    rho = {one.subject.concept: one.pearson.value for one in found}
    truth = world.column(concept)
    rivals = [phrase for phrase in phrases if not np.array_equal(world.column(phrase), truth)]
    assert len(rivals) > 200 and rho[concept] > 0.9
    assert rho[concept] > max(rho[phrase] for phrase in rivals)


@pytest.mark.parametrize(
    ("kind", "concept"),
    [
        ("or", "red thing | star"),
        ("and", "red thing & star"),
        ("and_not", "red thing & !star"),
        ("gated", "striped thing & dark background"),
    ],
)
def test_function_units_of_two_phrases_rank_their_concept_above_every_searched_phrase(
    kind: Kind, concept: str, world: Judged
) -> None:
    whole, *single = scored(values_of(concept, kind), world, (concept, *searched_phrases()))
    assert concept_values(concept, world.column).any()
    assert whole.pearson.value > 0.9 and whole.pearson.value > max(one.pearson.value for one in single)


@pytest.mark.parametrize("kind", ["noise", "dead"])
def test_units_that_say_nothing_are_not_verified_with_any_searched_phrase(kind: Kind, world: Judged) -> None:
    found = scored(values_of("", kind), world, searched_phrases(), draws=100)
    assert not any(one.status == "verified" for one in found)
    assert max(abs(one.pearson.value) for one in found) < 0.3
