"""Options that several commands share, each defined once: flag, environment variable, default, help."""

from __future__ import annotations

from pathlib import Path
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
StorePlace = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="MAIEUTIC_STORE",
        help="The record: a path or URL; empty means the user's data folder.",
    ),
]
Images = Annotated[
    str,
    typer.Option(
        "--images",
        envvar="MAIEUTIC_IMAGES",
        help="Pictures: tableau, a folder, or a saved dataset; empty means the embedded world.",
    ),
]
JudgeName = Annotated[
    str,
    typer.Option(
        "--judge",
        envvar="MAIEUTIC_JUDGE",
        help="Who says what pictures show: a CLIP, SigLIP or LLaVA, or two (ONE,OTHER).",
    ),
]
EditorName = Annotated[
    str,
    typer.Option(
        "--editor",
        envvar="MAIEUTIC_EDITOR",
        help="Who changes pictures: tableau-pix2pix, a diffusers folder, openai:MODEL; empty: the world's own.",
    ),
]
PlannerName = Annotated[
    str,
    typer.Option("--planner", envvar="MAIEUTIC_PLANNER", help="builtin, openai:MODEL, or recorded:RUN."),
]
BaseUrl = Annotated[
    str,
    typer.Option("--base-url", envvar="OPENAI_BASE_URL", help="An OpenAI-compatible endpoint of your own."),
]
DescriberName = Annotated[
    str,
    typer.Option(
        "--describer",
        envvar="MAIEUTIC_DESCRIBER",
        metavar="MODEL",
        help="A language model that puts pictures into words, blind to hypotheses; empty: the world's own describer.",
    ),
]
PriceFile = Annotated[
    str,
    typer.Option(
        "--prices", envvar="MAIEUTIC_PRICES", metavar="FILE", help="What language models cost, as TOML."
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        min=0.01, envvar="MAIEUTIC_TIMEOUT", help="Seconds that a language model's endpoint may be silent."
    ),
]
Retries = Annotated[
    int,
    typer.Option(min=0, max=100, envvar="MAIEUTIC_RETRIES", help="Times that an endpoint is asked again."),
]
Programs = Annotated[
    bool,
    typer.Option(
        "--programs/--no-programs",
        envvar="MAIEUTIC_PROGRAMS",
        help="Whether a language model may write programs, which run in a sandbox.",
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No narration, no bars.")]
Output = Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")]
TargetName = Annotated[
    str, typer.Argument(metavar="TARGET", help="An embedded target, a model folder or a hub id.")
]
