"""Which world a target is studied in: its pictures, who judges them, who puts them into words, who edits them.

Knows the embedded world, folders of pictures and saved datasets, and makes of each what tools and scorers need. The
planner's judge and the scorer's are different ones wherever two are at hand, and neither shares weights with the
target; where there is only one, the world says so (`shared_judge`) and every score will.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from experiments.judges import TABLEAU_JUDGE, sights
from experiments.registry import EMBEDDED
from store.errors import UserError
from store.records import Split
from tools.judging import ConceptJudge
from tools.scoring.concept import Concept
from tools.stimuli import Describer, ImageEditor, ImageSource, Stimulus

if TYPE_CHECKING:
    from experiments.tableau.source import TableauSource
    from tools.targets.target import Target

TABLEAU = "tableau"
_SIZED = re.compile(rf"{TABLEAU}(?::(?P<train>\d+)/(?P<select>\d+)/(?P<test>\d+))?")


Region = Callable[[Concept, Stimulus], Bool[np.ndarray, "token"]]
"""Which visual tokens of a stimulus show what makes a concept true."""


@dataclass(frozen=True)
class World:
    """What a run works with. `train` is the planner's, `select` may be asked for scores, `test` is sealed.

    `reference` is what untrained copies are shown for the null: the whole test split, however little of it a run takes.
    `editor` makes pictures that descend from `train`; `scorer_editor` does from `test`. Both are None where pictures
    can't be made to order. `region` is the scorer's, and None where nobody knows which pixels show what. The names of
    the judges stand beside every score.
    """

    name: str
    train: ImageSource
    select: ImageSource
    test: ImageSource
    reference: ImageSource
    judge: ConceptJudge
    judge_name: str
    scorer_judge: ConceptJudge
    scorer_judge_name: str
    describer: Describer
    editor: ImageEditor | None
    scorer_editor: ImageEditor | None
    shared_judge: bool
    region: Region | None = None


def is_tableau(spec: str) -> bool:
    """Whether the words mean the embedded world, whole or a part of it."""
    return _SIZED.fullmatch(spec) is not None


def tableau_sources(spec: str) -> list[TableauSource]:
    """The embedded world's three splits, whole or the first pictures of each; UserError for words that mean neither."""
    from experiments.tableau.source import TableauSource

    sized = _SIZED.fullmatch(spec)
    if not sized:
        raise UserError(
            f"`{spec}` is not the embedded world", kind="images", hint="such as `tableau:600/250/400`"
        )
    splits: tuple[Split, ...] = ("train", "select", "test")
    sizes = {split: int(sized[split]) if sized[split] else None for split in splits}
    if 0 in sizes.values():
        raise UserError(
            f"`{spec}` leaves a split empty", kind="images", hint="take at least one picture of each"
        )
    return [TableauSource(split, size) for split, size in sizes.items()]


def open_world(spec: str | None, target: Target, judge: str | None = None, seed: int = 0) -> World:
    """The world that `spec` means: `tableau`, a folder of pictures, or a dataset that `save_to_disk` wrote.

    Without a spec an embedded target gets `tableau`; `tableau:300/100/200` takes the first pictures of each split.
    `judge` is a CLIP or SigLIP (folder or hub id), a LLaVA that is asked, or `tableau-judge`; of `ONE,OTHER` the
    planner has the first and the scorer the second. In `tableau` the scorer has the scene graph. No present world draws
    on `seed`.

    Raises UserError when nothing is meant, pictures or judges can't be opened, or a judge shares weights with the
    target.
    """
    embedded = target.name.partition("@")[0] in EMBEDDED
    if spec is None and not embedded:
        raise UserError(
            f"`{target.name}` needs pictures to be studied with",
            kind="images",
            hint="give a folder of pictures",
        )
    if is_tableau(spec or TABLEAU):
        return _tableau(target, judge, spec or TABLEAU)
    folder = Path(str(spec)).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"`{spec}` is no folder of pictures",
            kind="images",
            hint=f"give a folder of pictures, one that `save_to_disk` wrote, or `{TABLEAU}`",
        )
    return _outside(folder, target, judge or (TABLEAU_JUDGE if embedded else None))


def _tableau(target: Target, judge: str | None, spec: str) -> World:
    from experiments.tableau.editor import ExactEditor
    from experiments.tableau.region import region_of
    from experiments.tableau.scene_judge import SceneJudge
    from experiments.tableau.source import TableauSource

    train, select, test = tableau_sources(spec)
    first, *others = sights(judge or TABLEAU_JUDGE, target)
    scorer = SceneJudge()
    if others:
        raise UserError(
            f"`{judge}` names two judges",
            kind="judge",
            hint=f"in `{TABLEAU}` the scorer has the scene graph: name one",
        )
    return World(
        name=TABLEAU,
        train=train,
        select=select,
        test=test,
        reference=TableauSource("test"),
        judge=first.judge,
        judge_name=first.name,
        scorer_judge=scorer,
        scorer_judge_name=scorer.name,
        describer=first.describer,
        editor=ExactEditor("train"),
        scorer_editor=ExactEditor("test"),
        shared_judge=False,
        region=region_of,
    )


def _outside(folder: Path, target: Target, judge: str | None) -> World:
    from experiments.hf_dataset import is_dataset, open_dataset
    from experiments.photos import open_photos

    if judge is None:
        raise UserError(
            f"the pictures in `{folder}` need a judge that says what they show",
            kind="judge",
            hint="name a CLIP or SigLIP, such as `openai/clip-vit-base-patch32`; better two, joined by a comma",
        )
    seen = sights(judge, target)
    train, select, test = (open_dataset if is_dataset(folder) else open_photos)(folder)
    planner, scorer = seen[0], seen[-1]
    return World(
        name=train.name,
        train=train,
        select=select,
        test=test,
        reference=test,
        judge=planner.judge,
        judge_name=planner.name,
        scorer_judge=scorer.judge,
        scorer_judge_name=scorer.name,
        describer=planner.describer,
        editor=None,
        scorer_editor=None,
        shared_judge=planner is scorer,
    )
