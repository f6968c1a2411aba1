"""What a function unit makes of a scene: how strongly it answers to each thing, and to the background.

Knows the meaning of each kind; where a concept holds is region.py's business. Knows nothing of noise, pools or stimuli
(function_units.py). A scene that does not fulfil the concept lights nothing.
"""

from __future__ import annotations

from experiments.bench.kinds import COUNTED, FunctionUnit
from experiments.tableau.concepts import read_concept
from experiments.tableau.region import Lit, either, holding, nothing
from experiments.tableau.scene import Scene, Thing
from tools.scoring.concept import All, Any, Concept, Phrase, read
from tools.scoring.narrowing import PLACES


def lit(unit: FunctionUnit, scene: Scene) -> Lit:
    """What the unit answers to. Noise and dead units answer to nothing in a scene."""
    match unit.kind:
        case "noise" | "dead":
            return nothing(scene)
        case "two_faced":
            first, second = _parts(unit.concept)
            return either(holding(first, scene), holding(second, scene).times(unit.weaker))
        case "gated":
            seen, gate = _parts(unit.concept)
            return holding(seen, scene) if holding(gate, scene).strength else nothing(scene)
        case "count":
            found = holding(Phrase(unit.concept.removeprefix(COUNTED)), scene)
            return found if sum(found.things) >= 2 else nothing(scene)
        case "exception":
            found = holding(read(unit.concept), scene)
            return Lit(
                tuple(
                    one * (not excepted(unit.exception, thing))
                    for one, thing in zip(found.things, scene.things, strict=True)
                )
            )
    return holding(read(unit.concept), scene)


def excepted(exception: str, thing: Thing) -> bool:
    """Whether a thing is of what the exception names: a quarter of the picture by its center, or how it looks."""
    if exception in PLACES:
        return thing.quarter == exception
    return read_concept(exception).matches(thing)


def _parts(concept: str) -> tuple[Concept, Concept]:
    """The two parts of a combination, in the order of its words."""
    match read(concept):
        case All((first, second)) | Any((first, second)):
            return first, second
    raise ValueError(f"`{concept}` does not join two concepts")
