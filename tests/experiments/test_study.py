"""The Python face: the same run as the command's, in scripts and in notebooks whose loop is busy."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import maieutic
from experiments.study import Described
from store.database import open_store
from store.errors import UserError
from tests.conftest import CHECKOUT
from tests.labelling import ABSTAINED, DESCRIBED, IMAGES, Labelled


@pytest.fixture(scope="module")
def study(labelled: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[maieutic.Study]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAIEUTIC_CACHE", str(labelled.place.cache))
        store = tmp_path_factory.mktemp("study") / "study.db"
        with maieutic.Study(store, target="tableau-llava", images=IMAGES) as opened:
            yield opened


def test_importing_maieutic_is_light_and_study_is_there_when_asked_for() -> None:
    program = (
        "import sys, maieutic; assert not {'torch', 'typer'} & set(sys.modules); "
        "print(maieutic.Study.__name__, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["Study", "True"]
    with pytest.raises(AttributeError, match="no `study`"):
        maieutic.study  # noqa: B018


def test_one_address_gives_one_description_and_a_set_gives_a_list(study: maieutic.Study) -> None:
    one = study.label(ABSTAINED)
    assert isinstance(one, Described)
    assert (one.component, one.status, one.label, one.facets) == (ABSTAINED, "abstained", "", ())
    several = study.label("vision.3.mlp[1:2]")
    assert isinstance(several, list)
    assert [each.reason.split("[")[0] for each in several] == [one.reason.split("[")[0]]
    assert several[0].run != one.run


def test_it_works_where_a_loop_is_running_already(study: maieutic.Study) -> None:
    async def cell() -> list[Described] | Described:
        return study.label([ABSTAINED])

    found = asyncio.run(cell())
    assert isinstance(found, list) and found[0].component == ABSTAINED


def test_a_question_is_answered_from_what_was_labelled_before(labelled: Labelled) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAIEUTIC_CACHE", str(labelled.place.cache))
        with maieutic.Study(labelled.place.store, images=IMAGES) as study:
            found = study.ask(f"what does {DESCRIBED} do?")
            before = len(study.workplace.store.queries.runs())
            with pytest.raises(UserError, match="none of the questions"):
                study.ask("do you dream?")
            assert len(study.workplace.store.queries.runs()) == before
    assert (found.status, found.named) == ("answered", (DESCRIBED,))
    assert found.run and found.evidence and "[e" in found.answer


def test_wrong_words_are_one_sentence(study: maieutic.Study, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 5 vision layers"):
        study.label("vision.9.mlp.1")
    with pytest.raises(UserError, match="neither a neuron nor a head"):
        study.label("connector")
    with pytest.raises(UserError, match="no run `nosuch`"):
        study.resume("nosuch")
    with pytest.raises(UserError, match="`magic` is not a planner"):
        maieutic.Study(tmp_path / "store.db", planner="magic")


def test_a_run_of_the_command_is_gone_on_with_and_shown_as_a_card(labelled: Labelled) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAIEUTIC_CACHE", str(labelled.place.cache))
        with maieutic.Study(labelled.place.store, images=IMAGES) as study:
            found = study.resume(labelled.run)
    assert [one.component for one in found] == [DESCRIBED, ABSTAINED]
    assert [one.model_dump(mode="json", exclude={"run"}) for one in found] == labelled.said.json[
        "descriptions"
    ]
    card = found[0]._repr_html_()
    assert found[0].label in card and found[0].text in card and "pearson" in card and labelled.run in card
    assert "<script" not in found[0].model_copy(update={"text": "<script>"})._repr_html_()


def test_a_run_of_another_target_is_refused(study: maieutic.Study) -> None:
    with open_store(study.workplace.store.where) as store:
        store.recorder.target("other", "sha256:other", "llava", {})
        run = store.recorder.open_run("label", "sha256:other", {}, 0, "builtin")
    with pytest.raises(UserError, match="no labelling run of `tableau-llava`"):
        study.resume(run)
