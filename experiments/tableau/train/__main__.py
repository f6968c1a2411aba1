"""`python -m experiments.tableau.train MODEL`: trains an embedded model, or goes on training it.

Also `… train curves MODEL` and `… train export`, which draw and write what a training has come to.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import typer
from torch import nn

from experiments.registry import WEIGHTS, open_target
from experiments.tableau.card import RECORD, RESULTS, renew
from experiments.tableau.train.loop import BEFORE, Stage, finished_weights, train
from store.errors import MaieuticError, UsageError, UserError
from tools.targets.load import choose_device

TRAINING = Path("training")
SIBLINGS = {"llava-shortcut": "llava", "llava-balanced": "llava"}
"""Models that go on from another's committed weights, and from whose."""
app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True)


class Recipe(NamedTuple):
    """A model that is to be trained, its stages, and what is evaluated on the way."""

    trainee: nn.Module
    stages: list[Stage]
    evaluate: Callable[[], dict[str, float]]


def clip(seed: int, scale: float, go_on: bool) -> Recipe:
    """Train the contrastive model, whose vision tower the generative model takes over."""
    from experiments.tableau.train.clip import ClipTrainee, evaluate, stages

    trainee = ClipTrainee(seed)
    if go_on:
        trainee.take_weights(open_target("tableau-clip", "cpu").model)
    return Recipe(trainee, stages(trainee, scale), partial(evaluate, trainee))


def llava(seed: int, scale: float, go_on: bool) -> Recipe:
    """Train the generative model; needs the finished contrastive model, or its own committed weights."""
    from experiments.tableau.train.clip import ClipTrainee
    from experiments.tableau.train.llava import LlavaTrainee, evaluate, stages

    trainee = LlavaTrainee(seed)
    if go_on:
        trainee.take_weights(open_target("tableau-llava", "cpu").model)
    elif not (TRAINING / "llava" / "state.pt").exists():
        teacher = ClipTrainee(0)
        teacher.load_state_dict(finished_weights(TRAINING / "clip"))
        trainee.take_vision(teacher.clip, teacher.dense)
    return Recipe(trainee, stages(trainee, scale), partial(evaluate, trainee))


def sibling(name: str, seed: int, scale: float, go_on: bool) -> Recipe:
    """Train a sibling of the generative model, from its committed weights."""
    from experiments.tableau.train.llava import LlavaTrainee, evaluate
    from experiments.tableau.train.siblings import stages

    if go_on:
        raise UsageError(
            "a sibling has one stage", hint="leave `--go-on` away: it begins with committed weights"
        )
    trainee = LlavaTrainee(seed)
    trainee.take_weights(open_target("tableau-llava", "cpu").model)
    return Recipe(trainee, stages(trainee, name, scale), partial(evaluate, trainee))


def judge(seed: int, scale: float, go_on: bool) -> Recipe:
    """Train the concept judge, which shares nothing with the other models."""
    from experiments.tableau.train.judge import JudgeTrainee, evaluate, stages

    if go_on:
        raise UsageError("the judge has one stage", hint="leave `--go-on` away to train it from nothing")
    trainee = JudgeTrainee(seed)
    return Recipe(trainee, stages(trainee, scale), partial(evaluate, trainee))


def pix2pix_vae(seed: int, scale: float, go_on: bool) -> Recipe:
    """Train the editor's autoencoder."""
    from experiments.tableau.train.vae import VaeTrainee, evaluate, stages

    if go_on:
        raise UsageError(
            "the autoencoder has one stage", hint="leave `--go-on` away to train it from nothing"
        )
    trainee = VaeTrainee(seed)
    return Recipe(trainee, stages(trainee, scale), partial(evaluate, trainee))


def pix2pix(seed: int, scale: float, go_on: bool) -> Recipe:
    """Train the editor over latents; needs the finished autoencoder, or its own committed weights."""
    from experiments.tableau.train.unet import EditorTrainee, evaluate, prepare, stages

    folder = TRAINING / "pix2pix"
    trainee = EditorTrainee(seed)
    vae = prepare(folder, TRAINING / "pix2pix-vae", trainee, committed=go_on)
    return Recipe(trainee, stages(trainee, scale, folder), partial(evaluate, trainee, vae))


def command(name: str, recipe: Callable[[int, float, bool], Recipe], seed: int, about: str | None) -> None:
    """Adds the command that trains by this recipe, from this seed unless told otherwise."""

    @app.command(name, help=about)
    def run(
        scale: Annotated[
            float, typer.Option(min=0.001, help="Shortens (or lengthens) every stage by this factor.")
        ] = 1.0,
        device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
        threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves torch's default.")] = 0,
        workers: Annotated[int, typer.Option(min=0, help="Processes that make batches ahead.")] = 1,
        seed: Annotated[int, typer.Option(min=0, help="Draws the first weights.")] = seed,
        go_on: Annotated[
            bool, typer.Option("--go-on", help="Only the last stage, starting from the committed weights.")
        ] = False,
    ) -> None:
        if threads:
            torch.set_num_threads(threads)
        where = choose_device(device)
        cpu = f"{torch.get_num_threads()} CPU threads"
        machine = torch.cuda.get_device_name(where) if where.type == "cuda" else cpu
        folder = TRAINING / name
        go_on = go_on and not (folder / "state.pt").exists()
        trainee, stages, evaluate = recipe(seed, scale, go_on)
        folder.mkdir(parents=True, exist_ok=True)
        about = {"seed": seed, "scale": scale, "machine": machine}
        if go_on or name in SIBLINGS:
            parent = f"tableau-{SIBLINGS.get(name, name)}"
            before = json.loads((WEIGHTS / parent / RECORD).read_text(encoding="utf-8"))
            (folder / BEFORE).write_text(json.dumps(before) + "\n", encoding="utf-8")
        (folder / "run.json").write_text(json.dumps(about) + "\n", encoding="utf-8")
        first = len(stages) - 1 if go_on else 0
        train(folder, trainee, stages, evaluate, device=where, workers=workers, first=first)


for number, described in enumerate((clip, llava, judge), start=1):
    command(described.__name__, described, number, described.__doc__)
command("pix2pix-vae", pix2pix_vae, 6, pix2pix_vae.__doc__)
command("pix2pix", pix2pix, 7, pix2pix.__doc__)
for number, sibling_name in enumerate(SIBLINGS, start=4):
    command(sibling_name, partial(sibling, sibling_name.removeprefix("llava-")), number, sibling.__doc__)


@app.command()
def latents(
    shards: Annotated[int, typer.Option(min=1, help="How many shards there are to be.")] = 128,
) -> None:
    """Make latents that the editor learns from ahead, in a process of its own beside its training."""
    from experiments.tableau.train.latents import shard

    for number in range(shards):
        shard(TRAINING / "pix2pix", number)
        print(f"{number + 1}/{shards}", file=sys.stderr, flush=True)


@app.command()
def curves(name: Annotated[str, typer.Argument(help="clip, llava or judge.")]) -> None:
    """Draw the curves of a training, finished or not, and keep the record that they are drawn from."""
    from experiments.tableau.train.curves import export as write_curves

    for path in write_curves(TRAINING / name, RESULTS):
        print(path)


@app.command()
def export() -> None:
    """Write the weights of all finished trainings where the registry finds them, each with its card."""
    from experiments.tableau.train.export import EXPORTS

    found = [name for name in EXPORTS if (TRAINING / name / "state.pt").exists()]
    if not found:
        raise UserError(f"`{TRAINING}` holds no training", kind="untrained", hint="run `make train`")
    for name in found:
        folder = WEIGHTS / f"tableau-{name}"
        EXPORTS[name](TRAINING / name, folder)
        renew(folder)
        print(folder)


def main() -> int:
    """Runs a command; a mistake with a remedy is one sentence and an exit code."""
    try:
        code = app(prog_name="python -m experiments.tableau.train", standalone_mode=False)
    except MaieuticError as error:
        print(f"Error: {error.message}\nHint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except typer.TyperException as error:
        print(f"Error: {error.format_message()}", file=sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
