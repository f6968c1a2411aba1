"""Worlds whose pictures a model edits: which intents are stated there, and who proves what came of them.

Knows worlds and verifiers; the judge is the planner's, which shares no weights with the target. The scorer keeps the
editor that it has: what is sealed is not drawn by a model.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.judges import TABLEAU_JUDGE
from experiments.registry import open_judge
from experiments.worlds import TABLEAU, World
from tools.editing.attempts import Attempts
from tools.editing.backend import PictureModel
from tools.editing.intent import Intents
from tools.editing.likeness import FEWEST, Eyes, Likeness
from tools.editing.plain_intents import PlainIntents
from tools.editing.verified import VerifiedEditor
from tools.editing.verify import Limits, Verifier
from tools.judging import ConceptJudge
from tools.stimuli import ImageSource

REFERENCES = 600
"""Pictures of the planner's split that say what the data look like."""


def edited_by(world: World, model: PictureModel, limits: Limits | None = None) -> World:
    """The world with an editor that draws with `model` and proves every edit before a planner sees it."""
    return replace(world, editor=VerifiedEditor(_intents(world), Attempts(model, verifier_of(world, limits))))


def verifier_of(world: World, limits: Limits | None = None) -> Verifier:
    """The planner's judge as a verifier; likeness is checked where the judge has eyes and there are pictures enough."""
    return _verifier(world.judge, world.judge_name, world.train, limits)


def tableau_verifier(limits: Limits | None = None) -> Verifier:
    """The embedded judge as a verifier of painted pictures, whatever target there is."""
    from experiments.tableau.source import TableauSource

    return _verifier(open_judge(), TABLEAU_JUDGE, TableauSource("train"), limits)


def _verifier(judge: ConceptJudge, name: str, known: ImageSource, limits: Limits | None) -> Verifier:
    likeness = None
    if isinstance(judge, Eyes) and len(known) >= FEWEST:
        usual = [known.picture(number).image for number in range(min(REFERENCES, len(known)))]
        likeness = Likeness(judge, usual)
    return Verifier(judge, name, likeness, limits)


def _intents(world: World) -> Intents:
    if world.name == TABLEAU:
        from experiments.tableau.intents import TableauIntents

        return TableauIntents("train")
    return PlainIntents(world.describer.vocabulary())
