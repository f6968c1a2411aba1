"""From files to a picture model: any diffusers pipeline in a folder, or of a hub name, that can edit.

Knows diffusers' files; knows nothing about names of embedded models. What lies on this machine is used before anything
is asked of a network, what a pipeline can't do is said before its weights are read, and code that comes with a model
is never run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import DiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from huggingface_hub import constants, hf_hub_download
from transformers.utils import logging as transformers_logging

from store.errors import UserError
from tools.editing.backend import Progress, Settings, silent
from tools.editing.diffusion import DiffusionModel
from tools.editing.signature import Signature
from tools.targets.load import choose_device, choose_dtype

INDEX = "model_index.json"


def load_picture_model(
    source: str | Path,
    *,
    name: str = "",
    device: str = "auto",
    dtype: str = "float32",
    settings: Settings | None = None,
    progress: Progress = silent,
) -> DiffusionModel:
    """The pipeline in a folder, or of a hub name, as a picture model; `name` defaults to `source`.

    Raises UserError when there is no pipeline, it can't edit, a setting does not fit it, or the device lacks room.
    """
    place, precision = choose_device(device), choose_dtype(dtype)
    _check_class(str(source), _here_first(str(source), _index))
    with _quietly():
        pipeline = _here_first(str(source), DiffusionPipeline.from_pretrained, dtype=precision)
    try:
        pipeline.to(place)
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"`{source}` does not fit into the memory of `{place}`",
            kind="memory",
            hint="use `--dtype bfloat16`, or `--device cpu`",
        ) from error
    return DiffusionModel(pipeline, name=name or str(source), settings=settings, progress=progress)


@contextmanager
def _quietly() -> Iterator[None]:
    """Neither library speaks of classes that nobody asked for, nor draws bars of its own."""
    verbosity = transformers_logging.get_verbosity()
    bars = [
        library for library in (transformers_logging, diffusers_logging) if library.is_progress_bar_enabled()
    ]
    transformers_logging.set_verbosity_error()
    for library in bars:
        library.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        for library in bars:
            library.enable_progress_bar()


def _index(source: str, **more: Any) -> dict[str, Any]:
    """What `model_index.json` says; the one file of a pipeline that is read before its weights."""
    folder = Path(source)
    path = folder / INDEX if folder.exists() else Path(hf_hub_download(source, INDEX, **more))
    return json.loads(path.read_text(encoding="utf-8"))


def _check_class(source: str, index: dict[str, Any]) -> None:
    """Raises UserError when the index names a pipeline that diffusers does not know, or one that can't edit."""
    named = index.get("_class_name")
    kind = getattr(diffusers, named, None) if isinstance(named, str) else None
    if kind is None:
        raise UserError(
            f"`{source}` names the pipeline `{named}`, which this version of diffusers does not know",
            kind="unloadable",
            hint="code that comes with a model is never run: give a pipeline of diffusers' own",
        )
    Signature.read(kind).job()


def _here_first(source: str, load: Callable[..., Any], **more: Any) -> Any:
    """What `load` finds on this machine, or else on the hub. Raises UserError when it is in neither place."""
    try:
        return load(source, local_files_only=True, **more)
    except (OSError, ValueError) as error:
        if Path(source).exists() or constants.HF_HUB_OFFLINE:
            raise _unloadable(source, error) from error
    try:
        return load(source, **more)
    except (OSError, ValueError) as error:
        raise _unloadable(source, error) from error


def _unloadable(source: str, error: Exception) -> UserError:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return UserError(
        f"`{source}` can't be loaded as an editor: {first}",
        kind="unloadable",
        hint=f"give a folder with a `{INDEX}`, as `save_pretrained` writes it, or a hub name that can be reached",
    )
