"""`maieutic reproduce notice`, `editors`, `vseam` and `neo2024`: what papers report, measured on a target here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.measure import plainly
from experiments.commands.neo_tables import print_neo
from experiments.commands.options import (
    Device,
    EditorName,
    Images,
    JsonFlag,
    Precision,
    Quiet,
    Seed,
    StorePlace,
)
from experiments.commands.output import narrate, print_json
from experiments.commands.places import lasting_images, lasting_target
from experiments.commands.reproduce_tables import print_editors, print_notice, print_vseam
from experiments.commands.show import check_picture_name
from store.errors import PlannerError, UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.workplace import Workplace

app = typer.Typer(help="Measure on a target what papers report of others.", no_args_is_help=True)

Target = Annotated[
    str, typer.Option(envvar="MAIEUTIC_TARGET", help="An embedded target, a model folder or a hub id.")
]
Among = Annotated[
    str, typer.Option(help="Heads that are looked at, such as `language.*.head.*`; all by default.")
]
Kinds = Annotated[str, typer.Option(help="Kinds of questions, joined by commas; six of them by default.")]
ItemsAKind = Annotated[
    int, typer.Option("--n", min=4, max=400, help="Items a kind: pictures in pairs, or questions.")
]
FigureFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it into this PNG file.")]


@app.callback()
def reproduce() -> None:
    """Measure on a target what papers report of others."""


@app.command()
def notice(
    target: Target = "tableau-llava",
    kinds: Kinds = "",
    n: ItemsAKind = 48,
    among: Among = "",
    images: Images = "",
    editor: EditorName = "",
    figure: FigureFile = None,
    store: StorePlace = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> None:
    """NOTICE: heads that bring an answer back under edited pictures, other words and noise, and over tasks."""
    checked(figure)
    from experiments.reproduce import notice as reproduction
    from experiments.reproduce.setting import untrained_engine

    say = quietly(quiet)
    with place(target, images, editor, store, device, seed) as workplace:
        from tools.budget import Budget

        context = workplace.context(Budget(), index=False)
        found = reproduction.notice(
            context,
            tuple(kinds.split(",")) if kinds else reproduction.KINDS,
            n,
            among,
            untrained_engine(context, device),
            say,
        )
        told = reproduction.as_json(found, about(workplace, n))

    def draw() -> Figure:
        from experiments.reproduce.notice_figure import draw_notice

        return draw_notice(told)

    tell(told, draw, figure, print_notice, as_json, say)


@app.command()
def editors(
    target: Target = "tableau-llava",
    kinds: Kinds = "",
    n: ItemsAKind = 48,
    among: Among = "",
    images: Images = "",
    editor: EditorName = "tableau-pix2pix",
    store: StorePlace = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> None:
    """Head effects by pairs that a model edits, held against those by pairs that are painted exactly."""
    from experiments.reproduce import two_editors as reproduction
    from experiments.reproduce.notice import KINDS
    from tools.budget import Budget

    with (
        place(target, images, "", store, device, seed) as painted,
        place(target, images, editor, store, device, seed) as edited,
    ):
        found = reproduction.two_editors(
            painted.context(Budget(), index=False),
            edited.context(Budget(), index=False),
            tuple(kinds.split(",")) if kinds else KINDS,
            n,
            among,
            quietly(quiet),
        )
        told = reproduction.as_json(found, about(edited, n))
    if as_json:
        print_json(told)
    else:
        print_editors(told)


@app.command()
def vseam(
    target: Target = "tableau-llava",
    n: ItemsAKind = 48,
    held_out: Annotated[
        int, typer.Option(min=4, max=400, help="Questions a kind on which heads are rescaled.")
    ] = 64,
    k: Annotated[int, typer.Option("--k", min=1, max=32, help="Heads of a level that are rescaled.")] = 6,
    among: Among = "",
    images: Images = "",
    editor: EditorName = "",
    figure: FigureFile = None,
    store: StorePlace = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> None:
    """V-SEAM: heads that edits of an object, an attribute or a relation move, and what rescaling them does."""
    checked(figure)
    from experiments.reproduce import vseam as reproduction

    say = quietly(quiet)
    with place(target, images, editor, store, device, seed) as workplace:
        from tools.budget import Budget

        context = workplace.context(Budget(), index=False)
        found = reproduction.vseam(context, n, held_out, k, among, say)
        told = reproduction.as_json(found, about(workplace, n) | {"held_out": held_out})

    def draw() -> Figure:
        from experiments.reproduce.vseam_figure import draw_vseam

        return draw_vseam(told)

    tell(told, draw, figure, print_vseam, as_json, say)


@app.command()
def neo2024(
    target: Target = "tableau-llava",
    n: Annotated[int, typer.Option("--n", min=8, max=5000, help="Items.")] = 200,
    images: Annotated[
        str,
        typer.Option(
            "--images",
            envvar="MAIEUTIC_IMAGES",
            help="`tableau`, or a folder with pictures and COCO's instances file; empty means `tableau`.",
        ),
    ] = "",
    untrained: Annotated[
        bool, typer.Option(help="Also a copy of the target that was never trained: the control.")
    ] = True,
    gradients: Annotated[
        bool, typer.Option(help="Also the tokens of largest integrated gradients: thousands of passes more.")
    ] = True,
    figure: FigureFile = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Precision = "float32",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> None:
    """Neo et al.: what flips without a thing's visual tokens, where these are read, and what words they point to."""
    checked(figure)
    from experiments.registry import open_target
    from experiments.reproduce.neo import run as reproduction
    from experiments.reproduce.setting import untrained_copy
    from tools.engine.engine import Engine

    say, named, place = quietly(quiet), lasting_target(target), lasting_images(images)
    pictures = reproduction.pictures_of(place, n, seed)
    opened = open_target(named, device, dtype=dtype)
    copy = untrained_copy(named, device, dtype) if untrained else None
    found = reproduction.neo2024(Engine(opened), pictures, copy, seed, say, gradients=gradients)
    told = reproduction.as_json(
        found,
        {
            "target": Path(named).name if Path(named).is_dir() else opened.name,
            "fingerprint": opened.fingerprint,
            "images": pictures.name,
            "seed": seed,
            "n": n,
        },
    )

    def draw() -> Figure:
        from experiments.reproduce.neo.figure import draw_neo

        return draw_neo(told)

    tell(told, draw, figure, print_neo, as_json, say)


def tell(
    told: dict[str, Any],
    draw: Callable[[], Figure],
    figure: Path | None,
    show: Callable[[dict[str, Any]], None],
    as_json: bool,
    say: Callable[[str], None],
) -> None:
    """A record as figure where a file is named, and on stdout: as it is, or as tables."""
    if figure is not None:
        from experiments.tableau.drawing import save

        save(draw(), figure)
        say(f"the figure is `{figure}`")
    if as_json:
        print_json(told)
    else:
        show(told)


@contextmanager
def place(target: str, images: str, editor: str, store: str, device: str, seed: int) -> Iterator[Workplace]:
    """The target in its world. What a tool would tell a planner becomes a sentence for the user."""
    from experiments.commands.workplaces import opened_workplace

    with opened_workplace(
        lasting_target(target),
        store=store,
        images=lasting_images(images),
        editor=editor,
        device=device,
        seed=seed,
    ) as workplace:
        try:
            yield workplace
        except PlannerError as error:
            raise UserError(plainly(error), kind=error.kind, hint=error.hint) from error


def about(workplace: Workplace, n: int) -> dict[str, Any]:
    """What was measured, on which pictures and by whose edits."""
    editor = workplace.world.editor
    return {
        "target": workplace.target.name,
        "fingerprint": workplace.target.fingerprint,
        "images": workplace.world.train.name,
        "editor": editor.name if editor is not None else "",
        "seed": workplace.seed,
        "n": n,
    }


def checked(figure: Path | None) -> None:
    """Refuses the name of a figure before anything is measured: UsageError for one without a picture's ending."""
    if figure is not None:
        check_picture_name(figure)


def quietly(quiet: bool) -> Callable[[str], None]:
    return (lambda _: None) if quiet else narrate
