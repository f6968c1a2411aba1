"""What every engine must keep: what is recorded is read back as it was, once, in order."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.database import Store, open_store
from store.errors import UserError
from store.recorder import Turn
from store.records import Claim, Description, Facet
from store.rules import same_words
from store.schema import DescriptionRow
from store.views import Payment
from tests.store.records import TARGET, UNIT, begin, guess, judgement, measure, points, words


def test_a_run_is_read_back_with_the_name_of_its_target(store: Store, run: str) -> None:
    found = store.queries.run(run)
    assert (found.kind, found.target, found.fingerprint) == ("label", "tiny", TARGET)
    assert (found.arguments, found.seed, found.planner) == ({"components": UNIT}, 1, "builtin")
    assert (found.status, found.ended) == ("running", "")
    assert store.queries.runs() == [found]


def test_a_resumed_run_ends_again(store: Store, run: str) -> None:
    store.recorder.end_run(run, "interrupted")
    assert store.queries.run(run).status == "interrupted"
    store.recorder.resume_run(run)
    assert (store.queries.run(run).status, store.queries.run(run).ended) == ("running", "")
    store.recorder.end_run(run, "done")
    assert store.queries.run(run).status == "done"
    assert store.queries.run(run).ended


def test_runs_are_listed_newest_first(store: Store, run: str) -> None:
    later = [begin(store, "sha256:another") for _ in range(3)]
    assert {found.id for found in store.queries.runs()} == {run, *later}
    started = [found.started for found in store.queries.runs()]
    assert started == sorted(started, reverse=True)


def test_an_unknown_run_is_refused_in_one_sentence(store: Store) -> None:
    with pytest.raises(UserError, match="the store has no run `nothere`") as refused:
        store.queries.run("nothere")
    assert refused.value.kind == "run"
    assert refused.value.hint


def test_a_run_needs_a_target_that_is_recorded(store: Store) -> None:
    with pytest.raises(RuntimeError, match="call `target` first"):
        store.recorder.open_run("label", "sha256:unknown", {}, 0, "builtin")


def test_making_a_target_or_data_known_twice_changes_nothing(store: Store, run: str) -> None:
    store.recorder.target("other name", TARGET, "llava", {})
    assert store.queries.run(run).target == "tiny"
    for _ in range(2):
        store.recorder.dataset("scenes", "train", "sha256:data", 4000)
    rows = [row for row in store.queries.export_rows() if row["table"] == "dataset"]
    assert rows == [
        {"table": "dataset", "name": "scenes", "split": "train", "fingerprint": "sha256:data", "size": 4000}
    ]


def test_an_experiment_is_read_back_as_it_was(store: Store, run: str) -> None:
    arguments = {"component": UNIT, "positions": ["visual", 3], "deep": {"value": 0.1, "none": None}}
    result = {"summary": "falls", "quantities": {"drop": {"value": 1 / 3, "ci": [0.1, 0.5], "n": 40}}}
    recorded = measure(store, run, 2, 1, arguments=arguments, result=result)
    assert recorded.arguments == arguments
    assert recorded.result == result
    assert store.queries.experiment(recorded.number) == recorded
    assert store.recorder.find(Turn(run, UNIT, 2, 1)) == recorded
    assert store.recorder.find(Turn(run, UNIT, 2, 0)) is None


def test_a_call_that_is_already_recorded_gives_the_recorded_result(store: Store, run: str) -> None:
    first = measure(store, run, result={"summary": "first"})
    again = measure(store, run, result={"summary": "measured again"})
    assert again == first
    assert store.queries.experiments() == [first]


def test_tuples_in_arguments_are_the_lists_that_json_gives_back(store: Store, run: str) -> None:
    first = measure(store, run, arguments={"range": (1, 2)})
    assert measure(store, run, arguments={"range": (1, 2)}) == first
    assert first.arguments == {"range": [1, 2]}


@pytest.mark.parametrize("other", [{"tool": "patch"}, {"arguments": {"component": "language.0.mlp.1"}}])
def test_a_recorded_call_can_not_become_another_one(store: Store, run: str, other: dict[str, str]) -> None:
    measure(store, run)
    with pytest.raises(RuntimeError, match=r"it can't be `\w+` with"):
        measure(store, run, **other)  # type: ignore[arg-type]


def test_a_number_that_json_can_not_hold_is_refused_and_nothing_is_recorded(store: Store, run: str) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        measure(store, run, result={"summary": "", "drop": float("nan")})
    assert store.queries.experiments() == []


def test_an_experiment_on_another_target_than_the_runs_is_refused(store: Store, run: str) -> None:
    with pytest.raises(RuntimeError, match=f"studies the target `{TARGET}`, not `sha256:other`"):
        measure(store, run, fingerprint="sha256:other")


def test_experiment_numbers_count_over_all_runs(store: Store, run: str) -> None:
    other = begin(store, "sha256:another")
    numbers = [
        measure(store, run).number,
        measure(store, other, fingerprint="sha256:another").number,
        measure(store, run, 0, 1, thread="direct").number,
    ]
    assert numbers == [1, 2, 3]
    assert [e.number for e in store.queries.experiments(run)] == [1, 3]
    assert [e.number for e in store.queries.experiments(run, UNIT)] == [1]
    assert [e.number for e in store.queries.experiments(thread=UNIT)] == [1, 2]


def test_an_unknown_experiment_is_refused_in_one_sentence(store: Store) -> None:
    with pytest.raises(UserError, match="the store has no experiment `e12`"):
        store.queries.experiment(12)


def test_the_first_decision_of_a_turn_stands(store: Store, run: str) -> None:
    decision = {"kind": "calls", "calls": [{"tool": "ablate"}]}
    assert store.recorder.step(run, UNIT, 0, decision, "hash", {"tokens": 12}) == decision
    assert store.recorder.step(run, UNIT, 0, {"kind": "abstention"}) == decision
    store.recorder.step(run, UNIT, 1, {"kind": "conclusion"})
    steps = store.queries.steps(run, UNIT)
    assert [step.decision["kind"] for step in steps] == ["calls", "conclusion"]
    assert (steps[0].prompt, steps[0].usage) == ("hash", {"tokens": 12})


def test_payments_are_kept_one_by_one_whatever_came_of_them(store: Store, run: str) -> None:
    first, second = (
        Payment(tokens=12, money=0.5, currency="EUR"),
        Payment(tokens=12, money=None, estimated=True),
    )
    for payment in (first, second, second):
        store.recorder.payment(run, UNIT, payment)
    store.recorder.payment(run, "question", first)
    assert store.queries.payments(run, UNIT) == [first, second, second]
    assert store.queries.payments(run) == [first, second, second, first]
    assert store.queries.payments(begin(store, TARGET)) == []
    with pytest.raises(RuntimeError, match="nowhere"):
        store.recorder.payment("nowhere", UNIT, first)


def test_hypotheses_keep_their_numbers_and_all_their_verdicts(store: Store, run: str) -> None:
    first, second = measure(store, run, 0).number, measure(store, run, 1).number
    store.recorder.hypothesis(run, UNIT, 2, guess("It fires on stars."))
    store.recorder.hypothesis(run, UNIT, 1, guess())
    store.recorder.hypothesis(run, UNIT, 1, guess("Another one under the same number."))
    for verdict in (judgement(first), judgement(second, effect=0.1), judgement(first)):
        store.recorder.verdict(run, UNIT, 1, verdict)
    found = store.queries.hypotheses(run, UNIT)
    assert [(number, hypothesis.statement) for number, hypothesis, _ in found] == [
        (1, "It fires on red things."),
        (2, "It fires on stars."),
    ]
    assert found[0].verdicts == [judgement(first), judgement(second, effect=0.1)]
    assert found[1].verdicts == []


def test_a_verdict_needs_its_hypothesis_and_its_experiments(store: Store, run: str) -> None:
    measure(store, run)
    with pytest.raises(RuntimeError, match="has no hypothesis 1"):
        store.recorder.verdict(run, UNIT, 1, judgement(1))
    store.recorder.hypothesis(run, UNIT, 1, guess())
    with pytest.raises(RuntimeError, match="under 1"):
        store.recorder.verdict(run, UNIT, 1, judgement(1, hypothesis=2))
    with pytest.raises(RuntimeError, match=r"`\[e7\]`: no such experiment"):
        store.recorder.verdict(run, UNIT, 1, judgement(7))
    assert store.queries.hypotheses(run, UNIT)[0].verdicts == []


def test_components_are_seen_before_they_are_begun_and_after_they_are_done(store: Store, run: str) -> None:
    for _ in range(2):
        store.recorder.components(run, ["language.0.mlp.1", UNIT])
    measure(store, run, thread="vision.0.head.1")
    measure(store, run, thread="direct")
    store.recorder.description(run, words(status="abstained", reason="nothing stable"))
    found = store.queries.components(run)
    assert [(c.address, c.status, c.label) for c in found] == [
        ("language.0.mlp.1", None, ""),
        (UNIT, "abstained", "red things"),
        ("vision.0.head.1", None, ""),
    ]
    assert found[1].reason == "nothing stable"


def test_a_description_is_read_back_with_its_receipts(store: Store, run: str) -> None:
    numbers = [measure(store, run, step).number for step in range(4)]
    description = words(
        f"Fires on red [e{numbers[0]}], most on stars [e{numbers[1]}; e{numbers[0]}].",
        reason=f"the test is small [e{numbers[2]}]",
        facets=(Facet(phrase="red", evidence=(numbers[2],)),),
        claims={"necessary": Claim(verdict="no", evidence=(numbers[3],)), "sufficient": None},
        evidence=(numbers[0],),
    )
    store.recorder.description(run, description)
    assert store.queries.description(run, UNIT) == description
    assert store.queries.descriptions(run) == [description]
    assert store.queries.description(run, "language.0.mlp.1") is None
    cited = [
        (row["place"], row["experiment"]) for row in store.queries.export_rows() if row["table"] == "citation"
    ]
    assert cited == [
        ("claim necessary", 4),
        ("evidence", 1),
        ("facet 0", 3),
        ("reason", 3),
        ("text", 1),
        ("text", 2),
    ]


def test_a_description_can_not_cite_what_is_not_there_or_was_made_elsewhere(store: Store, run: str) -> None:
    with pytest.raises(RuntimeError, match=r"`\[e99\]`: no such experiment is recorded \(text of"):
        store.recorder.description(run, words("Fires on red [e99]."))
    other = begin(store, "sha256:another")
    elsewhere = measure(store, other, fingerprint="sha256:another").number
    with pytest.raises(RuntimeError, match="made on another target"):
        store.recorder.description(run, words(evidence=(elsewhere,)))
    assert store.queries.descriptions(run) == []
    assert store.queries.components(run) == []


def test_receipts_may_come_from_an_earlier_run_on_the_same_target(store: Store, run: str) -> None:
    earlier = measure(store, begin(store, TARGET)).number
    store.recorder.description(run, words(f"Fires on red [e{earlier}]."))
    assert store.queries.description(run, UNIT)


def test_a_frozen_description_can_be_frozen_again_but_not_changed(store: Store, run: str) -> None:
    store.recorder.description(run, words(seconds=1.0))
    store.recorder.description(run, words(seconds=2.0, cost={"forwards": 8}))
    with pytest.raises(RuntimeError, match="is frozen; label, text would change"):
        store.recorder.description(run, words("Fires on blue things.", label="blue things"))
    found = store.queries.description(run, UNIT)
    assert found and (found.label, found.seconds) == ("red things", 1.0)


def test_words_that_were_frozen_before_claims_said_what_they_are_about_stand_as_they_are() -> None:
    claimed = words(claims={"reads": Claim(verdict="yes", effect=0.9)})
    body = claimed.model_dump(mode="json")
    del body["claims"]["reads"]["about"]
    assert Description.model_validate(body) == claimed
    row = DescriptionRow(run="r", component=UNIT, body=body)
    same_words(row, claimed)
    with pytest.raises(RuntimeError, match="claims would change"):
        same_words(row, words(claims={"reads": Claim(verdict="yes", effect=0.9, about="picture")}))


def test_scores_are_read_back_by_name_and_split(store: Store, run: str) -> None:
    store.recorder.score(run, UNIT, "pearson", points(0.7, "select"))
    store.recorder.score(run, UNIT, "pearson", points(0.7, "select"))
    store.recorder.score(run, UNIT, "auprc", points(0.4, "select"))
    assert [(name, score.value) for name, score in store.queries.scores(run, UNIT)] == [
        ("auprc", 0.4),
        ("pearson", 0.7),
    ]
    with pytest.raises(RuntimeError, match="already has the score `pearson` on select"):
        store.recorder.score(run, UNIT, "pearson", points(0.8, "select"))


def test_a_stimulus_keeps_its_content_and_its_split(store: Store) -> None:
    for _ in range(2):
        store.recorder.stimulus("train/17", "a" * 64, "train", "color", "b" * 64)
    found = store.queries.stimulus("train/17")
    assert found and (found.sha256, found.kind, found.artifact) == ("a" * 64, "color", "b" * 64)
    with pytest.raises(RuntimeError, match="`train/17` is already recorded with other content"):
        store.recorder.stimulus("train/17", "c" * 64, "train")
    with pytest.raises(RuntimeError, match="other content or split"):
        store.recorder.stimulus("train/17", "a" * 64, "test")
    assert store.queries.stimulus("train/18") is None


def test_pairs_keep_their_verification(store: Store, run: str) -> None:
    for key in ("train/1", "train/1+red"):
        store.recorder.stimulus(key, key.ljust(64, "0"), "train")
    for verified in ({"red": [0.1, 0.9]}, {"red": "another"}):
        store.recorder.pair(run, UNIT, 1, "red", "train/1", "train/1+red", verified)
    (pair,) = store.queries.pairs(run, UNIT)
    assert (pair.number, pair.concept, pair.verified) == (1, "red", {"red": [0.1, 0.9]})
    assert (pair.without_key, pair.with_key) == ("train/1", "train/1+red")


def test_search_finds_all_the_words_in_descriptions_hypotheses_and_experiments(
    store: Store, run: str
) -> None:
    measure(store, run, result={"summary": "Red pairs differ by 0.4"})
    store.recorder.hypothesis(run, UNIT, 1, guess())
    store.recorder.description(run, words())
    hits = store.queries.search("RED")
    assert [(hit.kind, hit.thread, hit.number) for hit in hits] == [
        ("description", UNIT, None),
        ("hypothesis", UNIT, 1),
        ("experiment", UNIT, 1),
    ]
    assert [hit.kind for hit in store.queries.search("pairs red")] == ["experiment"]
    assert [hit.kind for hit in store.queries.search("red", 2)] == ["description", "hypothesis"]
    assert store.queries.search("red", fingerprint="sha256:another") == []
    assert store.queries.search("red", fingerprint=TARGET) == hits


@pytest.mark.parametrize("text", ["", "   ", "r%d", "r_d", "100%"])
def test_search_takes_its_words_as_they_are(store: Store, run: str, text: str) -> None:
    measure(store, run, result={"summary": "red"})
    assert store.queries.search(text) == []


def test_the_export_holds_every_row_as_json(store: Store, run: str) -> None:
    numbers = [measure(store, run, step).number for step in range(3)]
    rows = [json.loads(json.dumps(row)) for row in store.queries.export_rows()]
    assert [row["number"] for row in rows if row["table"] == "experiment"] == numbers
    assert {row["table"] for row in rows} == {"target", "run", "component", "experiment"}


def test_an_export_that_is_broken_off_leaves_the_store_usable(store: Store, run: str) -> None:
    rows = store.queries.export_rows()
    next(rows)
    measure(store, run)
    rows.close()  # type: ignore[attr-defined]
    measure(store, run, 1)
    assert len(store.queries.experiments()) == 2


def test_what_is_recorded_is_there_when_the_store_is_opened_again(where: str | Path) -> None:
    with open_store(where) as store:
        run = begin(store, TARGET)
        recorded = measure(store, run)
        sha = store.artifacts.put(b"heat map", "image/png")
    with open_store(where) as store:
        assert store.queries.experiments(run) == [recorded]
        assert store.artifacts.get(sha) == b"heat map"


def test_many_threads_record_each_call_once(store: Store, run: str) -> None:
    gate = threading.Barrier(4)

    def worker(_: int) -> list[int]:
        gate.wait()
        return [measure(store, run, step).number for step in range(15)]

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(worker, range(4)))
    assert all(numbers == seen[0] for numbers in seen)
    assert [e.number for e in store.queries.experiments(run)] == sorted(seen[0])


def test_two_openings_of_one_store_record_each_call_once(where: str | Path) -> None:
    with open_store(where) as one, open_store(where) as other:
        run = begin(one, TARGET)

        def worker(store: Store) -> list[int]:
            return [measure(store, run, step).number for step in range(15)]

        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(worker, (one, other))
        assert first == second
        assert len(one.queries.experiments(run)) == 15


def test_a_write_that_is_refused_leaves_nothing_behind_and_the_next_one_works(store: Store, run: str) -> None:
    store.recorder.hypothesis(run, UNIT, 1, guess())
    good = measure(store, run).number
    with pytest.raises(RuntimeError, match="no such experiment"):
        store.recorder.verdict(run, UNIT, 1, judgement(good, 99))
    assert not [row for row in store.queries.export_rows() if row["table"] == "citation"]
    store.recorder.verdict(run, UNIT, 1, judgement(good))
    assert len(store.queries.hypotheses(run, UNIT)[0].verdicts) == 1
