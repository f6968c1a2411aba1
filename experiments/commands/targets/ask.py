"""`maieutic targets ask`: one question to a target, about a picture file, a fresh scene, or no picture at all.

Where the scene is known, the world's own answer is printed beside the target's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.commands.options import Device, JsonFlag, Precision
from experiments.commands.output import narrate, print_json, print_text
from experiments.commands.targets.opening import Name, opened
from store.errors import UsageError

if TYPE_CHECKING:
    from PIL import Image

    from experiments.tableau.scene import Scene


def ask(
    name: Name,
    question: Annotated[str, typer.Argument(help='Such as "what color is the star ?"')],
    image: Annotated[Path | None, typer.Option(help="The picture file to ask about.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Ask about the fresh scene of this seed.")] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, max=512, help="The longest answer, in tokens.")] = 40,
    device: Device = "auto",
    dtype: Precision = "float32",
    as_json: JsonFlag = False,
) -> None:
    """Ask one question about a picture file, about a fresh scene, or (with neither) about no picture."""
    if not question.strip():
        raise UsageError("the question is empty", kind="usage", hint='ask, say, "what color is the star ?"')
    if image is not None and seed is not None:
        raise UsageError("`--image` and `--seed` both name a picture", kind="usage", hint="give one of them")
    scene = scene_of(seed)
    picture = picture_of(image, scene)
    target = opened(name, device, dtype)
    from tools.targets.answer import answer

    [reply] = answer(
        target, [question], None if picture is None else [picture], max_new_tokens=max_new_tokens
    )
    truth, note = right_answer(question, scene)
    if as_json:
        print_json(
            {
                "target": target.name,
                "fingerprint": target.fingerprint,
                "question": question,
                "image": str(image) if image else None,
                "seed": seed,
                "answer": reply,
                "truth": truth,
                "note": note,
            }
        )
        return
    print_text(reply)
    if truth:
        narrate(f"The scene says: {truth}.")
    if note and (scene or name.startswith("tableau-")):
        narrate(note)


def scene_of(seed: int | None) -> Scene | None:
    """The first scene of the `check` split with this seed: no training has seen it."""
    if seed is None:
        return None
    from experiments.tableau.data import scene

    return scene("check", 0, seed)


def picture_of(image: Path | None, scene: Scene | None) -> Image.Image | None:
    """The picture that is asked about, from outside or painted; None for a question about no picture."""
    if image is not None:
        from tools.images import open_image

        return open_image(image)
    if scene is not None:
        from experiments.tableau.render import render, to_image

        return to_image(render(scene))
    return None


def right_answer(question: str, scene: Scene | None) -> tuple[str | None, str | None]:
    """The world's own answer, if it has one, and otherwise a sentence that says why not."""
    from experiments.tableau.parse import explain, parse
    from experiments.tableau.questions import Unanswerable
    from experiments.tableau.questions import answer as truth_of

    asked = parse(question)
    if asked is None:
        return None, f"The answer is the target's alone; the question is {explain(question)}."
    if scene is None:
        return None, None
    try:
        return truth_of(asked, scene), None
    except Unanswerable as reason:
        return None, f"The scene has no single right answer: {reason}."
