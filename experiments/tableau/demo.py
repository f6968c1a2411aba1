"""The first minute: an embedded model answers questions about scenes that it has never seen, right and wrong marked.

`python -m experiments.tableau.demo --out page.png`. A look, not a measurement: `maieutic targets check` measures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from experiments.registry import open_target
from experiments.tableau.answers_page import Exchange, answers_page
from experiments.tableau.asker import Asker
from experiments.tableau.data import scenes as fresh
from experiments.tableau.questions import KINDS, Kind, answer
from experiments.tableau.render import render, to_image
from experiments.tableau.scene import Scene
from store.errors import MaieuticError
from tools.targets.answer import answer as reply
from tools.targets.target import Target

PICTURE_KINDS: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind != "context")


def main() -> int:
    try:
        return show(arguments())
    except MaieuticError as error:
        sys.stderr.write(f"Error: {error.message}\nHint: {error.hint}\n")
        return error.exit_code


def show(options: argparse.Namespace) -> int:
    """Asks, prints every exchange, and writes the page."""
    target = open_target(options.target, options.device)
    scenes = list(fresh("check", options.scenes, options.seed))
    exchanges = ask_all(target, scenes, options.seed)
    told = [exchange for column in exchanges for exchange in column]
    right = sum(exchange.right for exchange in told)
    for exchange in told:
        verdict = "right" if exchange.right else f"wrong, it is {exchange.truth}"
        sys.stdout.write(f"{exchange.question}  {exchange.answer}  ({verdict})\n")
    title = f"{target.name} on {len(scenes)} fresh scenes: {right} of {len(told)} answers are right"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    answers_page(scenes, exchanges, title).save(options.out)
    sys.stderr.write(f"{title}; see {options.out}\n")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.tableau.demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/demo.png"))
    parser.add_argument("--target", default="tableau-llava")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--scenes", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def ask_all(target: Target, scenes: list[Scene], seed: int, each: int = 4) -> list[list[Exchange]]:
    """Up to `each` different questions on every scene, of different kinds, with the target's answers."""
    asked = [draw(scene, np.random.default_rng([seed, number]), each) for number, scene in enumerate(scenes)]
    texts = [text for questions in asked for text, _ in questions]
    pictures = [
        to_image(render(scene)) for scene, questions in zip(scenes, asked, strict=True) for _ in questions
    ]
    replies = iter(reply(target, texts, pictures, max_new_tokens=8))
    return [[Exchange(text, next(replies), truth) for text, truth in questions] for questions in asked]


def draw(scene: Scene, rng: np.random.Generator, each: int) -> list[tuple[str, str]]:
    """Questions in words with their right answers."""
    asker = Asker(scene, rng)
    kinds = [PICTURE_KINDS[i] for i in rng.permutation(len(PICTURE_KINDS))]
    questions = [question for kind in kinds if (question := asker.draw(kind))]
    return [(question.text(), answer(question, scene)) for question in questions[:each]]


if __name__ == "__main__":
    sys.exit(main())
