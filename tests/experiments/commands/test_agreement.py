"""`maieutic bench agreement` holds one run's words against another's."""

from __future__ import annotations

import shutil
from pathlib import Path

from store.database import open_store
from store.records import Score
from tests.labelling import ABSTAINED, DESCRIBED, Labelled, Place
from tests.store.records import begin, words


def other_run(place: Place, labelled: Labelled, concept: str) -> str:
    """A run of the same target whose record says this of the component, verified."""
    with open_store(place.store) as store:
        begun = store.queries.run(labelled.run)
        run = store.recorder.open_run("label", begun.fingerprint, begun.arguments, 1, "other")
        store.recorder.components(run, [DESCRIBED])
        (one,) = (one for one in store.queries.descriptions(labelled.run) if one.component == DESCRIBED)
        store.recorder.description(run, one.model_copy(update={"concept": concept or one.concept}))
        store.recorder.score(
            run, DESCRIBED, "pearson", Score(value=0.5, ci=(0.4, 0.6), n=40, split="test", judge="table")
        )
        store.recorder.settle(run, DESCRIBED, "verified")
    return run


def copied(labelled: Labelled, folder: Path) -> Place:
    for path in labelled.place.folder.glob("store.db*"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
    return Place(folder, labelled.place.cache)


def test_each_component_is_told_with_what_both_say_and_the_share_counts_the_second_run(
    labelled: Labelled, tmp_path: Path
) -> None:
    place = copied(labelled, tmp_path)
    same, other = other_run(place, labelled, ""), other_run(place, labelled, "sign | !sign")
    found = place.says("bench", "agreement", same, other, "--json").json
    assert (found["judge"], found["pictures"], found["only_one"]) == ("scene graph", 40, 0)
    (one,) = found["components"]
    assert (one["component"], one["verdict"]) == (DESCRIBED, "other concept")
    assert found["agree"] == {"rate": 0.0, "ci": found["agree"]["ci"], "n": 1}
    itself = place.says("bench", "agreement", same, same)
    assert itself.code == 0 and "same concept" in itself.out and "1.00 [0.21, 1.00]" in itself.out
    beside = place.says("bench", "agreement", labelled.run, same, "--json").json
    assert beside["only_one"] == 1 and ABSTAINED not in str(beside["components"])


def test_runs_in_two_records_can_be_compared_but_not_runs_of_two_targets(
    labelled: Labelled, tmp_path: Path
) -> None:
    place = copied(labelled, tmp_path)
    run = other_run(place, labelled, "")
    said = place.says(
        "bench",
        "agreement",
        labelled.run,
        run,
        "--store",
        str(labelled.place.store),
        "--other-store",
        str(place.store),
        "--json",
    )
    assert said.code == 0 and said.json["second"] == run
    with open_store(place.store) as store:
        stranger = begin(store, "sha256:another")
        store.recorder.description(stranger, words())
    refused = place.says("bench", "agreement", run, stranger)
    assert refused.code == 1 and "study different weights" in refused.err
    assert "the store has no run `zzz`" in place.says("bench", "agreement", run, "zzz").err


def test_a_run_that_does_not_say_what_it_studied_is_refused(labelled: Labelled, tmp_path: Path) -> None:
    place = copied(labelled, tmp_path)
    with open_store(place.store) as store:
        begun = store.queries.run(labelled.run)
        bench = store.recorder.open_run("label", begun.fingerprint, {"bench": "truth"}, 0, "builtin")
    refused = place.says("bench", "agreement", bench, labelled.run)
    assert refused.code == 1 and f"`{bench}` does not say how its target" in refused.err
