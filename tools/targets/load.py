"""From files to a Target: any model of a known family (families.py) in Hugging Face form, by folder or hub id.

Knows how models and processors are opened; knows nothing about names of embedded models. Code that comes with a model
is never run. transformers picks its PIL image processors by itself where torchvision is absent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoProcessor, PreTrainedModel

from store.errors import UserError
from tools.targets.families import family_of, part
from tools.targets.target import Target

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load_target(
    source: str | Path, *, name: str = "", device: str = "auto", dtype: str = "float32"
) -> Target:
    """The model in a folder, or of a hub id, ready to answer; `name` defaults to `source`.

    Raises UserError when there is no model, it is of another family, or the device lacks it or room for it.
    """
    place, precision = choose_device(device), choose_dtype(dtype)
    config = read_config(source)
    try:
        processor = _processor(source, config)
        model = _auto_class(config).from_pretrained(str(source), config=config, dtype=precision)
    except (OSError, ValueError) as error:
        raise _unloadable(str(source), error) from error
    return _placed(name or str(source), model, processor, place)


def untrained_target(
    source: str | Path, *, seed: int, name: str, device: str = "auto", dtype: str = "float32"
) -> Target:
    """The model that `source` configures, with random weights drawn from `seed`; the global seed is left alone."""
    place, precision = choose_device(device), choose_dtype(dtype)
    config = read_config(source)
    try:
        processor = _processor(source, config)
    except (OSError, ValueError) as error:
        raise _unloadable(str(source), error) from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _auto_class(config).from_config(config, dtype=torch.float32)
    return _placed(name, model.to(precision), processor, place)


def read_config(source: str | Path) -> Any:
    """The configuration in a folder or of a hub id, if its family is known and this model is of its usual kind."""
    try:
        config = AutoConfig.from_pretrained(str(source))
    except (OSError, ValueError) as error:
        raise _unloadable(str(source), error) from error
    wanted = family_of(config.model_type, str(source)).architecture
    if wanted and wanted not in (config.architectures or [wanted]):
        raise UserError(
            f"`{source}` is a `{config.architectures[0]}`, of whose family only `{wanted}` can be read",
            kind="unsupported_family",
            hint=f"give a folder or hub id whose config.json names `{wanted}`",
        )
    return config


def choose_device(device: str) -> torch.device:
    """`auto` means the first GPU, or the CPU where there is none."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise _no_device(device, "is not a device") from None
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise _no_device(device, "is not on this machine")
    return chosen


def choose_dtype(dtype: str) -> torch.dtype:
    """The number format by its name in DTYPES."""
    if dtype not in DTYPES:
        raise UserError(
            f"`{dtype}` is not a number format", kind="dtype", hint=f"give one of {', '.join(DTYPES)}"
        )
    return DTYPES[dtype]


def _auto_class(config: Any) -> Any:
    return getattr(transformers, family_of(config.model_type, "").model)


def _processor(source: str | Path, config: Any) -> Any:
    own = family_of(config.model_type, "").processor
    return part(own)(str(source)) if own else AutoProcessor.from_pretrained(str(source))


def _placed(name: str, model: PreTrainedModel, processor: Any, place: torch.device) -> Target:
    try:
        ready = model.to(place)  # type: ignore[arg-type]  # nn.Module.to, hidden by a decorator without types
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"`{name}` does not fit into the memory of `{place}`",
            kind="memory",
            hint="use `--dtype bfloat16`, or `--device cpu`",
        ) from error
    return Target(name, model.config.model_type, ready.eval(), processor)


def _unloadable(source: str, error: Exception) -> UserError:
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return UserError(
        f"`{source}` can't be loaded as a model: {first_line}",
        kind="unloadable",
        hint="give a folder that `save_pretrained` wrote for model and processor, or a hub id that can be reached",
    )


def _no_device(device: str, why: str) -> UserError:
    return UserError(f"`{device}` {why}", kind="device", hint="give `auto`, `cpu`, `cuda` or `cuda:N`")
