"""Which judges a name means: the embedded one, a CLIP or SigLIP, or a vision-language model that is asked.

Knows how judges are opened, which describer sees with the same eyes, and that none judges a model of its own descent.
Knows nothing about pictures or splits (worlds.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.registry import EMBEDDED, open_judge, open_target
from store.errors import UserError
from tools.judging import ConceptJudge
from tools.stimuli import Describer

if TYPE_CHECKING:
    from torch import nn

    from tools.clip_judge import ClipJudge
    from tools.polling_judge import PollingJudge
    from tools.targets.target import Target

TABLEAU_JUDGE = "tableau-judge"
SCENE_GRAPH = "scene graph"
"""The scorer's judge in the embedded world; it knows no other pictures."""
ALIKE = 0.5
"""Cosine of two first layers from which on they are taken to be of one descent."""
FIRST = ("patch_embedding.weight", "embed_tokens.weight", "token_embedding.weight")
"""How the names of first layers end: of eyes, and of what reads words."""


@dataclass(frozen=True)
class Sight:
    """A judge with its name, and the describer that sees with the same eyes."""

    name: str
    judge: ConceptJudge
    describer: Describer


def sights(names: str, target: Target) -> list[Sight]:
    """The judges that are named, one or two different ones."""
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not 1 <= len(wanted) <= 2:
        raise UserError(
            f"`{names}` names {len(wanted)} judges", kind="judge", hint="name one, or two joined by a comma"
        )
    return [_sight(name, target) for name in wanted]


def _sight(name: str, target: Target) -> Sight:
    if name == TABLEAU_JUDGE:
        from experiments.tableau.describer import JudgeDescriber

        trained = open_judge()
        return Sight(name, trained, JudgeDescriber(trained))
    from tools.clip_judge import ClipDescriber
    from tools.everyday import EVERYDAY

    judge = _embedded(name, str(target.device)) if name in EMBEDDED else _outside(name, target)
    if same_descent(judge.model, target.model):
        raise UserError(
            f"`{name}` shares weights with `{target.name}` and can't judge it",
            kind="judge",
            hint="name a judge that was trained apart from the target",
        )
    phrases = EVERYDAY
    if name in EMBEDDED and judge.model.can_generate():
        from experiments.tableau.polling import things

        phrases = things()
    return Sight(name, judge, ClipDescriber(judge, phrases))


def _embedded(name: str, device: str) -> ClipJudge | PollingJudge:
    """An embedded model with the words that it was taught."""
    from tools.clip_judge import ClipJudge
    from tools.polling_judge import PollingJudge

    if EMBEDDED[name].copies:
        raise UserError(
            f"`{name}` was never trained and can't judge phrases",
            kind="judge",
            hint=f"name `{TABLEAU_JUDGE}`",
        )
    opened = open_target(name, device)
    if opened.model.can_generate():
        from experiments.tableau.polling import ask

        return PollingJudge(opened, ask)
    return ClipJudge(opened.model, opened.processor, name=name, templates=("{} .",), neutral=("a thing .",))


def _outside(name: str, target: Target) -> ClipJudge | PollingJudge:
    """A contrastive model, or else a model that answers questions, at the target's precision."""
    from tools.clip_judge import ClipJudge
    from tools.polling_judge import PollingJudge

    device = str(target.device)
    try:
        return ClipJudge.load(name, device=device)
    except UserError as refusal:
        if refusal.kind != "unsupported_family":
            raise
    return PollingJudge(open_target(name, device, dtype=target.dtype))


def same_descent(judge: nn.Module, target: nn.Module) -> bool:
    """Whether the first layers of the two models, of their eyes or their readers of words, are alike: one was made of
    the other, then, or both of a third.

    Weights that were learned apart have a cosine near 0; fine-tuning leaves it high.
    """
    import torch.nn.functional as F

    for ending in FIRST:
        one, other = (
            next((value for name, value in model.named_parameters() if name.endswith(ending)), None)
            for model in (judge, target)
        )
        if one is None or other is None or one.shape != other.shape:
            continue
        first, second = (weight.detach().float().cpu().flatten() for weight in (one, other))
        if float(F.cosine_similarity(first, second, dim=0)) > ALIKE:
            return True
    return False
