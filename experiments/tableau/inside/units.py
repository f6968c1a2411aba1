"""Units that stand for something: a trained model beside untrained copies, on the same stimuli.

Composes stimuli, activations and selectivity; see tools/scoring/selectivity.py for what is measured, units_report.py
for what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transformers import LlavaForConditionalGeneration

from experiments.tableau.balanced import Item
from experiments.tableau.inside.activations import Activations, Site, units_at_answer, units_on_pictures
from experiments.tableau.inside.presence import asked_in, true_of
from experiments.tableau.inside.stimuli import asked, batches, scenes_of
from experiments.tableau.inside.units_report import UnitsReport, site_report
from experiments.tableau.models import FEATURE_LAYER, new_llava
from experiments.tableau.sampler import sample
from experiments.tableau.scene import Scene
from tools.scoring.presence import presence
from tools.scoring.selectivity import Selectivity, selectivity, split

STREAM = 11
"""The sampler's stream of these pictures: a world that no model was trained on."""
Say = Callable[[str], None]
BySite = dict[Site, Selectivity]


def units(
    trained: LlavaForConditionalGeneration,
    seeds: Sequence[int],
    items: Sequence[Item],
    *,
    pictures: int = 1500,
    seed: int = 0,
    say: Say = lambda _: None,
) -> UnitsReport:
    """Measures every site of the trained model, and of untrained copies with these seeds, on the same stimuli.

    Pictures are drawn here; `items` are questions about other pictures. Raises ValueError on fewer than two seeds.
    """
    scenes, shown = [sample(index, "balanced", stream=STREAM) for index in range(pictures)], scenes_of(items)
    facts = {
        "visual": presence([true_of(scene) for scene in scenes]),
        "last": presence([true_of(scene) | asked_in(item) for scene, item in zip(shown, items, strict=True)]),
    }
    halves = {"visual": split(range(pictures), seed), "last": split(shown, seed)}
    tested = {scope: facts[scope].supported(halves[scope]) for scope in facts}

    def measured(model: LlavaForConditionalGeneration, what: str) -> BySite:
        say(f"units: {what}")
        found = record(model, scenes, items)
        return {site: selectivity(v, tested[site.scope], halves[site.scope]) for site, v in found.items()}

    ours = measured(trained, "trained")
    copies = [measured(untrained(one, trained), f"untrained copy {one}") for one in seeds]
    seeing = [measured(trained_eyes(one, trained), f"trained eyes alone, {one}") for one in seeds]
    sites = tuple(
        site_report(
            site,
            ours[site],
            [copy[site] for copy in copies],
            [copy[site] for copy in seeing],
            tested[site.scope],
            counted=reaches_answer(site, trained),
        )
        for site in ours
    )
    return UnitsReport(sites, pictures, len(items), len(seeds))


def record(
    model: LlavaForConditionalGeneration, scenes: Sequence[Scene], items: Sequence[Item]
) -> dict[Site, Activations]:
    """Activations at all sites: pictures for the visual scope, questions about other pictures for the last position."""
    pictures = units_on_pictures(model, batches(scenes, None, model.device))
    return pictures | units_at_answer(model, asked(items, model.device))


def untrained(seed: int, like: LlavaForConditionalGeneration) -> LlavaForConditionalGeneration:
    """An untrained copy, on the device of the trained model."""
    copy = new_llava(seed).eval()
    copy.to(like.device)
    return copy


def trained_eyes(seed: int, like: LlavaForConditionalGeneration) -> LlavaForConditionalGeneration:
    """An untrained copy that looks through the trained model's vision tower."""
    copy = untrained(seed, like)
    copy.model.vision_tower.load_state_dict(like.model.vision_tower.state_dict())
    return copy


def reaches_answer(site: Site, model: LlavaForConditionalGeneration) -> bool:
    """False for vision layers behind the one that is read, and for the last decoder layer at visual tokens."""
    tower, layer, _ = site.address.split(".")
    if tower == "vision":
        return int(layer) <= len(model.model.vision_tower.encoder.layers) + FEATURE_LAYER
    return site.scope == "last" or int(layer) < len(model.model.language_model.layers) - 1
