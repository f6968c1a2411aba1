"""How well a target answers: accuracy by question kind on fresh balanced questions, beside the grey control.

An answer is what the target writes until it ends; it counts only when it is the one right word. The grey control asks
the same questions before a picture that is (128, 128, 128) everywhere: what is right then was known without looking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from experiments.tableau.balanced import Item, balanced
from experiments.tableau.caption_check import check_captions
from experiments.tableau.questions import ANSWERS, KINDS, Kind
from experiments.tableau.render import render, to_image
from experiments.tableau.scene import SIDE, Scene
from tools.scoring.intervals import wilson
from tools.targets.answer import answer
from tools.targets.target import Target

CHECKED: tuple[Kind, ...] = (
    "polling",
    "color",
    "shape",
    "fill",
    "background",
    "counting",
    "relation",
    "relation_yn",
    "context",
)
EXTRA: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind not in CHECKED)
"""Kinds without a floor, measured on a fifth of the questions."""
LONGEST = 6
"""Tokens after which an answer is cut off; the embedded models need two, other tokenizers split words."""
BATCH = 32
GREY = Image.new("RGB", (SIDE, SIDE), (128, 128, 128))

Progress = Callable[[str, int, int], None]
"""Is told what is measured, how many questions of it are answered, and how many there are."""


def silent(kind: str, done: int, total: int) -> None:
    """Progress that nobody wants to see."""


def check(
    target: Target,
    n: int,
    seed: int = 0,
    kinds: Sequence[Kind] = CHECKED,
    *,
    extra: bool = True,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Accuracy on `n` questions of each kind, with 95 % intervals, chance, and the grey control where one looks.

    `counting` also has the mean over its answers. With `extra`: n/5 questions of the other kinds, n/10 captions.
    Raises UserError for a target that gives no words.
    """
    result: dict[str, Any] = {"target": target.name, "fingerprint": target.fingerprint, "n": n, "seed": seed}
    result["kinds"] = {kind: check_kind(target, balanced(kind, n, seed), progress) for kind in kinds}
    if extra:
        few = max(n // 5, 2)
        result["extra"] = {kind: check_kind(target, balanced(kind, few, seed), progress) for kind in EXTRA}
        result["extra"]["caption"] = check_captions(target, max(n // 10, 2), seed, progress)
    return result


def chance(kind: Kind) -> float:
    """The share that is right without a picture; `compare` names the two things between which it asks."""
    return 0.5 if kind == "compare" else 1 / len(ANSWERS[kind])


def check_kind(target: Target, items: Sequence[Item], progress: Progress = silent) -> dict[str, Any]:
    """The figures of one kind, all of whose `items` are given."""
    kind = items[0].question.kind
    right = verdicts(items, replies(target, items, progress))
    figures: dict[str, Any] = wilson(sum(right), len(items)).as_json("accuracy") | {"chance": chance(kind)}
    if kind == "counting":
        figures["macro"] = round(macro(items, right), 6)
    if items[0].scene is not None:
        grey = verdicts(items, grey_replies(target, items, progress))
        figures["grey"] = wilson(sum(grey), len(items)).as_json("accuracy")
    return figures


def verdicts(items: Sequence[Item], written: Sequence[str]) -> list[bool]:
    """Whether each reply is the right word; case and a full stop do not count."""
    return [reply.lower().strip(" .") == item.answer for item, reply in zip(items, written, strict=True)]


def macro(items: Sequence[Item], right: Sequence[bool]) -> float:
    """The mean over answers of the share of their questions that are right."""
    by_answer: dict[str, list[bool]] = {}
    for item, verdict in zip(items, right, strict=True):
        by_answer.setdefault(item.answer, []).append(verdict)
    return float(np.mean([np.mean(of_one) for of_one in by_answer.values()]))


def replies(target: Target, items: Sequence[Item], progress: Progress = silent) -> list[str]:
    """What the target answers to each item."""
    label = items[0].question.kind
    return _asked(target, [item.text for item in items], [item.scene for item in items], label, progress)


def grey_replies(target: Target, items: Sequence[Item], progress: Progress = silent) -> list[str]:
    """What it answers before a grey picture; the same words get the same answer, so they are asked once."""
    texts = list(dict.fromkeys(item.text for item in items))
    label = f"{items[0].question.kind}, grey"
    written = dict(zip(texts, _asked(target, texts, [GREY] * len(texts), label, progress), strict=True))
    return [written[item.text] for item in items]


def _asked(
    target: Target,
    texts: Sequence[str],
    before: Sequence[Scene | Image.Image | None],
    label: str,
    progress: Progress,
) -> list[str]:
    """Replies in the order of `texts`, asked in batches of about equal length."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place].split()))
    written = [""] * len(texts)
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        pictures = [_picture(before[place]) for place in places]
        batch = answer(
            target,
            [texts[place] for place in places],
            [picture for picture in pictures if picture is not None] or None,
            max_new_tokens=LONGEST,
            batch_size=BATCH,
        )
        for place, reply in zip(places, batch, strict=True):
            written[place] = reply
        progress(label, start + len(places), len(texts))
    return written


def _picture(before: Scene | Image.Image | None) -> Image.Image | None:
    return to_image(render(before)) if isinstance(before, Scene) else before
