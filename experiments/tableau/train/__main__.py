"""`python -m experiments.tableau.train MODEL`: trains an embedded model, or goes on training it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer

from experiments.tableau.train.loop import train
from store.errors import UserError

TRAINING = Path("training")
app = typer.Typer(add_completion=False, help=__doc__)


@app.callback()
def main() -> None:
    """Training can be stopped at any moment; the same command goes on where it was."""


def start(name: str, device: str, threads: int) -> tuple[Path, torch.device]:
    if threads:
        torch.set_num_threads(threads)
    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return TRAINING / name, torch.device(chosen)


def finished(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a training that has run its course."""
    path = folder / "state.pt"
    if not path.exists():
        raise UserError(
            f"`{path}` does not exist",
            kind="untrained",
            hint=f"run `python -m experiments.tableau.train {folder.name}` first",
        )
    return dict(torch.load(path, map_location="cpu", weights_only=True)["model"])


Scale = Annotated[float, typer.Option(help="Shortens (or lengthens) every stage by this factor.")]
Device = Annotated[str, typer.Option(help="cpu or cuda; default: cuda when there is one.")]
Threads = Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's default.")]
Workers = Annotated[int, typer.Option(help="Processes that make batches ahead.")]


@app.command()
def clip(
    scale: Scale = 1.0, device: Device = "", threads: Threads = 0, workers: Workers = 1, seed: int = 1
) -> None:
    """The contrastive model, whose vision tower the generative model takes over."""
    from experiments.tableau.train.clip import ClipTrainee, evaluate, stages

    folder, where = start("clip", device, threads)
    trainee = ClipTrainee(seed)
    train(folder, trainee, stages(trainee, scale), partial(evaluate, trainee), device=where, workers=workers)


@app.command()
def llava(
    scale: Scale = 1.0, device: Device = "", threads: Threads = 0, workers: Workers = 1, seed: int = 2
) -> None:
    """The generative model; needs the finished contrastive model."""
    from experiments.tableau.train.clip import ClipTrainee
    from experiments.tableau.train.llava import LlavaTrainee, evaluate, stages

    folder, where = start("llava", device, threads)
    trainee = LlavaTrainee(seed)
    if not (folder / "state.pt").exists():
        teacher = ClipTrainee(seed)
        teacher.load_state_dict(finished(TRAINING / "clip"))
        trainee.take_vision(teacher.clip, teacher.dense)
    train(folder, trainee, stages(trainee, scale), partial(evaluate, trainee), device=where, workers=workers)


@app.command()
def judge(
    scale: Scale = 1.0, device: Device = "", threads: Threads = 0, workers: Workers = 1, seed: int = 3
) -> None:
    """The concept judge, which shares nothing with the other models."""
    from experiments.tableau.train.judge import JudgeTrainee, evaluate, stages

    folder, where = start("judge", device, threads)
    trainee = JudgeTrainee(seed)
    train(folder, trainee, stages(trainee, scale), partial(evaluate, trainee), device=where, workers=workers)


@app.command()
def export() -> None:
    """Writes the weights of all finished trainings where the registry finds them, each with its card."""
    from experiments.registry import WEIGHTS
    from experiments.tableau.card import renew
    from experiments.tableau.train.export import EXPORTS

    for name, write in EXPORTS.items():
        training = TRAINING / name
        if (training / "state.pt").exists():
            folder = WEIGHTS / f"tableau-{name}"
            write(training, folder)
            renew(folder)
            print(folder)


@app.command()
def curves(name: Annotated[str, typer.Argument(metavar="MODEL", help="clip, llava or judge.")]) -> None:
    """Writes and draws a training's curves into the committed results; it may still be running."""
    from experiments.tableau.card import RESULTS
    from experiments.tableau.train.curves import export as write

    for path in write(TRAINING / name, RESULTS):
        print(path)


if __name__ == "__main__":
    app()
