"""The blind test of heads: what is planted is found, what is not there is not, and each claim is tested once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.registry import open_target
from experiments.scoring.blind import score_frozen
from experiments.scoring.head_test import ClaimTested, HeadTest
from experiments.scoring.seal import is_tested, record
from experiments.workplace import Workplace
from experiments.worlds import open_world
from store.database import Store, open_store
from store.errors import UserError
from store.records import Claim, Description, Reading, Score
from tests.experiments.scoring.made_head import with_color_head
from tests.experiments.scoring.test_seal import outcome
from tests.labelling import IMAGES
from tools.budget import Budget
from tools.meter import metered
from tools.targets.target import Target

UNTRAINED = "language.4.head.1"
VISION, BLOCKED = "vision.2.head.0", "vision.4.head.0"


def workplace(store: Store, target: Target, cache: Path) -> Workplace:
    made = Workplace(store, target, open_world(IMAGES, target), cache=cache)
    made.register()
    return made


def words(component: str, **about: str) -> Description:
    """Frozen words with claims that are about something; what the planner found counts for nothing here."""
    claims: dict[str, Claim | None] = {
        name: Claim(verdict="undetermined", about=told) for name, told in about.items()
    }
    return Description(
        component=component,
        status="unverified",
        label="red",
        concept="red thing",
        text="red",
        reading=Reading(scope="visual"),
        claims=claims,
    )


def small(place: Workplace, named: int = 16) -> HeadTest:
    """With fewer questions and random heads than a run asks."""
    return HeadTest(place.context(Budget()), place.world.test, named=named, other=2, random=3)


def verdicts(tested: list[ClaimTested]) -> dict[str, str]:
    return {one.name: one.claim.verdict for one in tested}


@pytest.fixture(scope="module")
def made(committed_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HeadTest, str]]:
    """The trained model with a head that looks at its own token and says the color that it finds there."""
    target, head = with_color_head(open_target("tableau-llava", "cpu"))
    with open_store(tmp_path_factory.mktemp("made") / "store.db") as store:
        place = workplace(store, target, tmp_path_factory.mktemp("cache"))
        yield small(place, named=32), str(head)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    with open_store(tmp_path_factory.mktemp("untrained") / "store.db") as store:
        target = open_target("tableau-llava-random", "cpu")
        yield workplace(store, target, tmp_path_factory.mktemp("cache"))


def test_a_head_passes_for_what_it_does(made: tuple[HeadTest, str]) -> None:
    test, head = made
    found = test.of(words(head, reads="itself", writes="color", when_cut="color"))
    assert verdicts(found) == {"reads": "yes", "writes": "yes", "when_cut": "yes"}
    for one in found:
        assert one.score is not None and one.score.split == "test" and one.claim.effect == one.score.value
        assert one.claim.control == one.score.null and "control: " in one.claim.because
    assert found[0].score is not None and found[0].score.value > 0.9
    assert found[1].score is not None and found[1].score.n == 32


def test_the_same_head_fails_for_what_it_does_not_do(made: tuple[HeadTest, str]) -> None:
    test, head = made
    found = test.of(words(head, reads="start", writes="against color"))
    assert "yes" not in verdicts(found).values() and verdicts(found)["writes"] == "no"
    beside = test.of(words(head, writes="polling", when_cut="counting"))
    assert "yes" not in verdicts(beside).values(), beside


def test_untrained_heads_write_for_no_kind_and_no_kind_suffers_when_they_are_cut(
    untrained: Workplace,
) -> None:
    test = small(untrained)
    for layer, kind in ((1, "color"), (2, "polling"), (3, "counting"), (4, "shape")):
        found = test.of(words(f"language.{layer}.head.0", writes=kind, when_cut=kind))
        assert {one.claim.verdict for one in found} <= {"no", "undetermined"}, found


def test_the_same_claim_scores_the_same_in_another_process_and_company(untrained: Workplace) -> None:
    frozen = words(UNTRAINED, reads="picture", writes="color", when_cut="color")
    alone = small(untrained).of(frozen)
    busy = small(untrained)
    busy.of(words("language.2.head.0", reads="itself", writes="shape", when_cut="shape"))
    assert busy.of(frozen) == alone


def test_random_heads_are_measured_once_for_all(untrained: Workplace) -> None:
    test = small(untrained)
    rows = []
    for head in ("language.3.head.0", "language.3.head.1"):
        with metered() as meter:
            test.of(words(head, when_cut="color"))
        rows.append(meter.rows)
    own = test.named + test.other * (len(untrained.world.test.kinds) - 1)
    assert rows[1] in (own, 0) and rows[0] >= own * (1 + test.random)


def test_what_the_planner_works_with_stays_as_it_was(untrained: Workplace) -> None:
    """No reading of a sealed picture is left in what tools remember, and no experiment is recorded."""
    context = untrained.context(Budget())
    before = set(context.memory.means)
    test = HeadTest(context, untrained.world.test, named=8, other=2, random=1)
    test.of(words(UNTRAINED, writes="color", when_cut="color"))
    assert all(name.endswith("attn.z") for name in set(context.memory.means) - before)
    assert context.memory.margins == {} and context.images is untrained.world.train
    assert not any(row["table"] == "experiment" for row in untrained.store.queries.export_rows())


@pytest.mark.parametrize(
    ("component", "about", "reason"),
    [
        (VISION, {"writes": "color"}, "no words are read from where"),
        (BLOCKED, {"when_cut": "color"}, "can't be tested causally"),
        (VISION, {"reads": "picture"}, "no tokens `picture`"),
        (UNTRAINED, {"writes": "smell"}, "not a kind of question"),
        ("language.4.mlp.1", {"reads": "picture"}, "is not a head"),
    ],
)
def test_what_can_not_be_tested_stays_open_with_the_reason(
    untrained: Workplace, component: str, about: dict[str, str], reason: str
) -> None:
    (found,) = HeadTest(untrained.context(Budget()), untrained.world.test).of(words(component, **about))
    assert found.score is None and found.claim.verdict == "undetermined"
    assert found.claim.because.startswith("not tested: ") and reason in found.claim.because
    assert found.claim.about == next(iter(about.values()))


def test_a_head_of_a_target_without_words_is_tested_for_what_it_reads_alone(
    tmp_path: Path, committed_weights: Path
) -> None:
    with open_store(tmp_path / "store.db") as store:
        place = workplace(store, open_target("tableau-clip", "cpu"), tmp_path)
        test = HeadTest(place.context(Budget()), place.world.test)
        found = test.of(words(VISION, reads="near", writes="color", when_cut="color"))
    assert [one.score is not None for one in found] == [True, False, False]
    assert "answers no questions" in found[1].claim.because


@pytest.fixture
def place(untrained: Workplace, tmp_path: Path) -> Iterator[Workplace]:
    with open_store(tmp_path / "store.db") as store:
        made = Workplace(store, untrained.target, untrained.world, cache=untrained.cache)
        made.register()
        yield made


def begin(place: Workplace, *frozen: Description) -> str:
    recorder = place.store.recorder
    run = recorder.open_run("label", place.target.fingerprint, {}, 0, "test")
    recorder.components(run, [one.component for one in frozen])
    for one in frozen:
        recorder.description(run, one)
    return run


def test_scores_and_claims_of_heads_are_recorded_with_the_rest_and_once(place: Workplace) -> None:
    claims = {"reads": "picture", "writes": "color"}
    run = begin(place, words(UNTRAINED, **claims), words(BLOCKED, when_cut="color"))
    score_frozen(place, run)
    queries = place.store.queries
    found = queries.description(run, UNTRAINED, test=True)
    assert found is not None and found.scores.keys() >= {"pearson", *claims}
    for name, about in claims.items():
        claim = found.claims[name]
        assert claim is not None and (claim.about, claim.effect) == (about, found.scores[name].value)
        assert found.scores[name].null == claim.control
    blocked = queries.description(run, BLOCKED, test=True)
    assert blocked is not None and "when_cut" not in blocked.scores
    assert is_tested(place.store, run, UNTRAINED) and is_tested(place.store, run, BLOCKED)
    before = list(queries.export_rows())
    score_frozen(place, run)
    assert list(queries.export_rows()) == before
    seen = queries.description(run, UNTRAINED)
    assert (
        seen is not None
        and seen.scores == {}
        and seen.claims["reads"] == Claim(verdict="undetermined", about="picture")
    )


def test_a_test_that_was_killed_between_two_scores_of_a_head_finishes_what_it_began(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = words(UNTRAINED, reads="picture", writes="color")
    whole, half = begin(place, frozen), begin(place, frozen)
    score_frozen(place, whole)
    keep = place.store.recorder.score

    def until_power_fails(run: str, component: str, name: str, score: Score) -> None:
        if name == "writes":
            raise KeyboardInterrupt
        keep(run, component, name, score)

    monkeypatch.setattr(place.store.recorder, "score", until_power_fails)
    with pytest.raises(KeyboardInterrupt):
        score_frozen(place, half)
    monkeypatch.undo()
    assert not is_tested(place.store, half, UNTRAINED)
    assert {one.name for one in place.store.queries.scores(half, UNTRAINED, test=True)} >= {
        "pearson",
        "reads",
    }
    score_frozen(place, half)
    assert is_tested(place.store, half, UNTRAINED)
    ends = [place.store.queries.description(run, UNTRAINED, test=True) for run in (whole, half)]
    assert ends[0] == ends[1]


def test_claims_that_were_not_frozen_are_not_recorded(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        scored = outcome()
        store.recorder.target("t", "f", "llava", {})
        run = store.recorder.open_run("label", "f", {}, 0, "test")
        store.recorder.components(run, [scored.subject.component])
        frozen = words(scored.subject.component, reads="picture")
        store.recorder.description(run, frozen.model_copy(update={"concept": "red"}))
        other = ClaimTested("reads", Claim(verdict="yes", about="itself"), None)
        with pytest.raises(RuntimeError, match="was not said to `reads` `itself`"):
            record(store, run, scored, [other])
        record(store, run, scored, [ClaimTested("reads", Claim(verdict="no", about="picture"), None)])
        with pytest.raises(UserError, match="has been scored on test already"):
            record(store, run, scored)
