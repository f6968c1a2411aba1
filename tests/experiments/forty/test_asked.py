"""Ten of the forty, asked of the embedded model with heads taken out: in small, and every one of them right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.forty.places import Places
from experiments.forty.proof import Marked, asked
from experiments.forty.table import FORTY
from store.database import open_store

CUT = [case for case in FORTY if case.place == "cut" and case.kind == "which"]
ANYWHERE = [replace(case, place="cut") for case in FORTY if case.right == "refused" or "on fire" in case.text]


@pytest.fixture(scope="module")
def found(committed_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Marked]:
    folder: Path = tmp_path_factory.mktemp("forty")
    with open_store(folder / "store.db") as store:
        return asked(Places(store, folder / "cache", "tableau:40/24/40"), [*CUT, *ANYWHERE])


def test_ten_of_the_forty_are_answered_right(found: list[Marked]) -> None:
    assert len(found) == 10
    assert [(one.case.text, one.reason) for one in found if one.mark != "right"] == []


def test_what_was_asked_again_ran_nothing_through_the_model(found: list[Marked]) -> None:
    again = [one for one in found if one.case.again]
    assert again and all(one.said.forwards == 0 and one.said.made == 0 for one in again)


def test_a_head_that_was_cut_is_never_named(found: list[Marked]) -> None:
    named = {name for one in found if one.said.finding for name in one.said.finding.named}
    assert named == {"language.5.head.2"}
