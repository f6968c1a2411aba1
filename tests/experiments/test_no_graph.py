"""PNG files, `tableau-judge` and nothing else: no way leads from a picture in a folder to the scene that it was painted
from, and a whole labelling run needs none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.registry import open_target
from experiments.tableau.files import write_pictures
from experiments.tableau.recall import recall
from experiments.worlds import World, open_world, tableau_sources
from store.errors import UserError
from tests.conftest import CHECKOUT
from tools.judging import judge_matrix
from tools.stimuli import Inquirer

pytestmark = pytest.mark.usefixtures("committed_weights")

KNOWING = (
    "sampler",
    "data",
    "source",
    "recall",
    "scene_judge",
    "region",
    "edit",
    "editor",
    "render",
    "asker",
)
"""Modules that know scenes: how they are drawn, which one a key means, what is true of it, how it is changed."""
LABEL = """
import sys
from experiments.commands.app import run
sys.modules |= {f"experiments.tableau.{name}": None for name in sys.argv[1].split(",")}
sys.exit(run(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "pictures"
    assert write_pictures(tableau_sources("tableau:40/24/40"), folder) == 104
    return folder


@pytest.fixture(scope="module")
def world(pictures: Path) -> World:
    return open_world(str(pictures), open_target("tableau-llava", "cpu"))


def test_pictures_come_back_from_their_files_as_they_were_with_their_questions(world: World) -> None:
    painted = [
        source.asked(index) for source in tableau_sources("tableau:40/24/40") for index in range(len(source))
    ]
    found = {
        one.sha256: one.answer
        for part in (world.train, world.select, world.test)
        for one in (part.asked(index) for index in range(len(part)))
    }
    assert len(found) == 104
    assert all(found[one.sha256] == one.answer for one in painted)


def test_no_key_of_a_picture_from_a_file_leads_to_a_scene(world: World) -> None:
    for part in (world.train, world.select, world.test):
        for index in range(len(part)):
            for stimulus in (part.picture(index), part.asked(index)):
                with pytest.raises(UserError, match="is not the key of a painted picture"):
                    recall(stimulus.key)


def test_nothing_in_such_a_world_makes_pictures_or_knows_places(world: World) -> None:
    assert (world.editor, world.scorer_editor, world.region) == (None, None, None)
    assert not isinstance(world.describer, Inquirer)
    assert (world.train.kinds, world.test.ask("color", 4, 0)) == ((), [])


def test_its_one_judge_sees_pixels_and_its_scores_say_that_the_planner_has_it_too(world: World) -> None:
    assert world.shared_judge and world.judge is world.scorer_judge
    assert (world.judge_name, world.scorer_judge_name) == ("tableau-judge", "tableau-judge")
    shown = world.test.picture(0)
    by_key = judge_matrix(world.scorer_judge, [shown], ["star", "red thing"])
    assert (by_key == world.scorer_judge.present([shown.image], ["star", "red thing"])).all()


def test_a_whole_run_needs_no_module_that_knows_scenes(pictures: Path, tmp_path: Path) -> None:
    words = ["label", "tableau-llava", "--components", "vision.3.mlp.0", "--images", str(pictures), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", LABEL, ",".join(KNOWING), *words, "--seed", "232"],
        cwd=CHECKOUT,
        env=os.environ
        | {"MAIEUTIC_STORE": str(tmp_path / "store.db"), "MAIEUTIC_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (said,) = json.loads(done.stdout)["descriptions"]
    assert said["status"] in ("verified", "unverified")
    assert all(score["judge"].endswith("shared judge") for score in said["scores"].values())
