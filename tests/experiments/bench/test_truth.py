"""A bench is an ordinary workplace under a fingerprint of its own; its run describes every component with a truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.decision import Abstention
from agent.planner import Choice
from agent.thread import ThreadView
from experiments.allowance import Allowance
from experiments.bench.exhibits import examples
from experiments.bench.kinds import KINDS, SPEECHLESS
from experiments.bench.report import Report
from experiments.bench.setting import Bench, set_up, set_up_natural, set_up_untrained
from experiments.bench.truth import Beside, measure
from experiments.registry import open_target
from experiments.workplace import Workplace
from store.address import parse
from store.database import Store, open_store
from store.errors import UserError
from tools.targets.target import Target
from tools.tool import Tool

SMALL = "tableau:12/6/6"


class Silent:
    """A planner that says nothing of anything; the power fails after `patience` decisions."""

    name = "silent"

    def __init__(self, patience: int = 1000) -> None:
        self.patience = patience
        self.decided = 0

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        if self.decided == self.patience:
            raise OSError("the power fails")
        self.decided += 1
        return Choice(Abstention(reason="Nothing to say."))


@pytest.fixture(scope="module")
def target() -> Target:
    return open_target("tableau-llava-random", "cpu")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        yield opened


def bench(store: Store, target: Target, seed: int, cache: Path) -> Bench:
    return set_up(store, target, 11, seed, planted=False, images=SMALL, cache=cache)


def prints(workplace: Workplace) -> tuple[str, Path | None]:
    return workplace.target.fingerprint, workplace.activations.folder


def test_benches_of_different_seeds_never_share_a_fingerprint_or_a_cache(
    store: Store, target: Target, tmp_path: Path
) -> None:
    first, again, other = (prints(bench(store, target, seed, tmp_path).workplace) for seed in (0, 0, 1))
    assert first == again and first[0] != other[0] and first[1] != other[1]
    assert target.fingerprint not in (first[0], other[0])


def test_a_planner_that_says_nothing_finds_nothing_and_claims_nothing(
    store: Store, target: Target, tmp_path: Path
) -> None:
    found = bench(store, target, 0, tmp_path)
    never = set_up_untrained(store, target, 2, 0, images=SMALL, cache=tmp_path)
    report = measure(found, Silent(), Beside(untrained=never))
    kinds = report.as_json()["kinds"]
    assert {kinds[kind]["exact"] for kind in KINDS if kind not in SPEECHLESS} == {0}
    assert {values["rate"] for values in report.as_json()["false_claims"].values() if values} == {0}
    assert report.as_json()["false_claims"]["untrained"]["n"] == 2
    assert [one.truth for one in report.found] == [*found.truths, *never.truths]
    assert (report.host, report.fingerprint) == (target.fingerprint, found.workplace.target.fingerprint)
    shown = examples(found.workplace, report.found)
    assert {one.kind for one in shown.right} == set(SPEECHLESS) and shown.all_wrong == 9
    assert {len(one.top) for one in shown.wrong} == {6} and not any(one.doubtful for one in shown.wrong)
    index = found.workplace.index
    assert index.manifest.fingerprint == found.workplace.target.fingerprint
    dead = {truth.component for truth in found.truths if truth.kind == "dead"}
    assert all(index.entry(parse(t.component)).dead == (t.component in dead) for t in found.truths)


def test_a_bench_that_was_stopped_goes_on_where_it_was(store: Store, target: Target, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the power fails"):
        measure(bench(store, target, 0, tmp_path), Silent(patience=3))
    later = Silent()
    report = measure(bench(store, target, 0, tmp_path), later)
    assert later.decided == 8 and len(report.found) == 11 and len(store.queries.runs()) == 1


def test_a_bench_that_was_stopped_in_a_later_run_does_not_begin_anew(
    store: Store, target: Target, tmp_path: Path
) -> None:
    def found(planner: Silent) -> Report:
        first, second = (
            set_up_untrained(store, target, 2, seed, images=SMALL, cache=tmp_path) for seed in (0, 1)
        )
        return measure(first, planner, Beside(untrained=second))

    with pytest.raises(OSError, match="the power fails"):
        found(Silent(patience=3))
    later = Silent()
    report = found(later)
    assert later.decided == 1 and len(report.found) == 4
    assert {run.status for run in store.queries.runs()} == {"done"} and len(store.queries.runs()) == 2
    again = found(Silent())
    assert again.run != report.run and len(store.queries.runs()) == 4, (
        "what is done is done anew when asked again"
    )


def test_a_bench_that_was_stopped_does_not_go_on_with_other_components_pictures_or_rights(
    store: Store, target: Target, tmp_path: Path
) -> None:
    def found(planner: Silent, units: int, images: str, programs: bool = False) -> Report:
        first, second = (
            set_up_untrained(store, target, n, seed, images=images, cache=tmp_path)
            for seed, n in enumerate((2, units))
        )
        return measure(first, planner, Beside(untrained=second), allowance=Allowance(programs=programs))

    with pytest.raises(OSError, match="the power fails"):
        found(Silent(patience=3), 2, SMALL)
    with pytest.raises(UserError, match="begun with `--no-programs`, not `--programs`"):
        found(Silent(), 2, SMALL, programs=True)
    with pytest.raises(UserError, match="begun with 2 components, not these 3"):
        found(Silent(), 3, SMALL)
    with pytest.raises(UserError, match="begun with `--images tableau:12/6/6`, not `tableau:13/6/6`"):
        found(Silent(), 2, "tableau:13/6/6")
    assert len(found(Silent(), 2, SMALL).found) == 4


def test_labels_without_experiments_are_tested_blind_beside_the_planner(
    store: Store, target: Target, tmp_path: Path
) -> None:
    found = set_up(store, target, 11, 0, planted=False, images="tableau:48/6/48", cache=tmp_path)
    report = measure(found, Silent(), Beside(baselines=True)).as_json()
    beside = report["baselines"]
    assert beside["first_candidate"] is None
    assert {beside[name]["n"] for name in ("one_shot", "best_match", "linear", "random_text")} == {9}
    assert (
        beside["best_match"]["kinds"]["single"]["rate"] == beside["one_shot"]["kinds"]["single"]["rate"] == 1
    )
    assert beside["linear"]["test_rho_median"] > 0.6 > 0.3 > beside["random_text"]["test_rho_median"]
    assert beside["linear"]["test_rho_median"] > beside["best_match"]["test_rho_median"] - 0.05
    ahead = beside["best_match"]["differences"]["rho"]
    assert ahead["ci"][0] <= ahead["value"] <= ahead["ci"][1] < 0
    tested = [run for run in store.queries.runs() if run.planner.startswith("baseline:")]
    assert len(tested) == 4 and {run.status for run in tested} == {"done"}


def test_components_that_were_never_trained_are_neurons_and_heads_without_a_truth(
    store: Store, target: Target, tmp_path: Path
) -> None:
    never = set_up_untrained(store, target, 9, 0, images=SMALL, cache=tmp_path)
    assert [(truth.kind, truth.concept) for truth in never.truths] == [("untrained", "")] * 9
    assert sum(parse(truth.component).part == "head" for truth in never.truths) == 1
    other = set_up_untrained(store, target, 9, 1, images=SMALL, cache=tmp_path)
    assert never.truths != other.truths


def test_a_part_is_taken_away_in_a_run_of_its_own_over_the_same_units(
    store: Store, target: Target, tmp_path: Path
) -> None:
    found = bench(store, target, 0, tmp_path)
    report = measure(found, Silent(), Beside(lacking=(frozenset({"pairs"}),))).as_json()
    (name, told) = next(iter(report["parts"].items()))
    assert name == "builtin:no-pairs" and told["n"] == 9
    runs = {run.id: run for run in store.queries.runs()}
    assert runs[told["run"]].planner == name and runs[report["run"]].planner == "silent"
    assert {"make_pairs"}.isdisjoint(one.tool for one in store.queries.experiments(told["run"]))
    assert told["seconds_per_unit"]["without"] > 0


def test_natural_components_are_alive_and_measured_beside_the_best_phrase(
    store: Store, target: Target, tmp_path: Path
) -> None:
    living = set_up_natural(store, target, 3, 0, images=SMALL, cache=tmp_path)
    assert {truth.kind for truth in living.truths} == {"natural"}
    assert not any(living.workplace.index.entry(parse(truth.component)).dead for truth in living.truths)
    report = measure(living, Silent(), Beside(natural=living)).as_json()
    told = report["natural"]
    assert (told["median"], told["n"] + told["left_out"]) == (0, 3), "nothing was said, which counts"
    assert all(one["best"] for one in told["units"])
