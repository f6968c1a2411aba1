"""How a command opens the target that was named on its line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.registry import open_target

if TYPE_CHECKING:
    from tools.targets.target import Target

Name = Annotated[str, typer.Argument(metavar="NAME", help="An embedded target, a model folder or a hub id.")]


def opened(name: str, device: str, dtype: str) -> Target:
    """The target; transformers' progress bars stay away where no terminal shows them."""
    from transformers.utils import logging

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    return open_target(name, device, dtype=dtype)
