"""`maieutic bench`: what the house is worth, measured where the truth is known."""

from __future__ import annotations

import typer

from experiments.commands.agreement import agreement
from experiments.commands.calibration import calibration
from experiments.commands.edits import edits
from experiments.commands.engine import engine
from experiments.commands.ladder import ladder
from experiments.commands.truth import truth

app = typer.Typer(help="Measure where the truth is known.", no_args_is_help=True)
app.command()(truth)
app.command()(ladder)
app.command()(calibration)
app.command()(agreement)
app.command()(edits)
app.command()(engine)


@app.callback()
def bench() -> None:
    """Measure where the truth is known."""
