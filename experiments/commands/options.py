"""Options that several commands share, each defined once: flag, environment variable, default, help."""

from __future__ import annotations

from typing import Annotated

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object, also on failure.")]
Seed = Annotated[int, typer.Option(min=0, envvar="MAIEUTIC_SEED", help="What chance draws from.")]
Device = Annotated[
    str, typer.Option(envvar="MAIEUTIC_DEVICE", help="Where the model runs: auto, cpu, cuda or cuda:N.")
]
Precision = Annotated[
    str,
    typer.Option(envvar="MAIEUTIC_DTYPE", help="Number format of the weights: float32, bfloat16 or float16."),
]
