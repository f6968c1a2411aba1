"""`maieutic bench engine`: how long sweeps take beside loops of full forward passes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from experiments.commands.options import JsonFlag, Seed
from experiments.commands.output import narrate, print_json, print_table, print_text
from experiments.commands.show import check_picture_name


def engine(
    shape: Annotated[
        Literal["narrow", "wide", "both"],
        typer.Option(help="narrow: calls cost more than arithmetic; wide: arithmetic rules."),
    ] = "both",
    stride: Annotated[
        int, typer.Option(min=1, help="Every which position the sweep over all of them takes.")
    ] = 8,
    timed: Annotated[int, typer.Option(min=2, help="Cells on which each loop is timed.")] = 6,
    seed: Seed = 0,
    figure: Annotated[Path | None, typer.Option(help="Put the chart into this PNG file.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Time sweeps of a LLaVA shape with weights of chance, ours beside nnsight, TransformerLens and bare passes."""
    if figure is not None:
        check_picture_name(figure)
    from experiments.bench.engine_figure import draw_engine
    from experiments.bench.engine_shape import NARROW, WIDE
    from experiments.bench.engine_speed import speed

    found: dict[str, Any] = {
        one.name: speed(one, stride=stride, timed=timed, seed=seed, progress=narrate)
        for one in (NARROW, WIDE)
        if shape in (one.name, "both")
    }
    if figure is not None:
        draw_engine(found, figure)
        narrate(f"the chart is `{figure}`")
    if as_json:
        print_json(found)
        return
    for name, one in found.items():
        print_table(
            ["sweep", "cells#", "seconds#", "FLOPs / fewest#", "arithmetic#", *LOOPS],
            [[job, *_row(result)] for job, result in one["jobs"].items()],
            title=f"{name}: {one['positions']} positions, width {one['shape']['width']}, "
            f"{one['shape']['layers']} layers of {one['shape']['heads']} heads, {one['threads']} threads",
        )
        scan = one["scan"]
        low, high = scan["ratio"]["ci"]
        print_text(
            f"Reading all {scan['components']} components takes {scan['ratio']['value']:.2f} [{low:.2f}, {high:.2f}] "
            f"times a bare pass (n = {scan['stimuli']}, {scan['rounds']} rounds)."
        )


LOOPS = ("× bare forward#", "× nnsight#", "× TransformerLens#")


def _row(result: dict[str, Any]) -> list[str]:
    """How often our time goes into that of a loop, with its interval."""
    ratios = []
    for column in LOOPS:
        loop = result["loops"].get(column.removeprefix("× ").removesuffix("#"))
        if loop is None:
            ratios.append("–")
            continue
        low, high = loop["ratio"]["ci"]
        mark = "" if loop["agrees"] is not False else " (other logits)"
        ratios.append(f"{loop['ratio']['value']:.1f} [{low:.1f}, {high:.1f}]{mark}")
    return [
        str(result["cells"]),
        f"{result['seconds']:.2f}",
        f"{result['flops_over_floor']:.2f}",
        f"{result['arithmetic_share']:.0%}",
        *ratios,
    ]
