"""Which target, or which editor of pictures, is meant: a name of an embedded model, a folder, or a hub id.

Knows the embedded models, where their weights lie and how they are checked against their cards. Knows nothing about
architectures (tools/targets/). Nothing heavy is imported before a target is opened.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import UserError
from tools.budget import RETRIES, TIMEOUT

if TYPE_CHECKING:
    from agent.prices import Prices
    from experiments.tableau.judge import Judge
    from tools.editing.backend import PictureModel, Progress, Settings
    from tools.targets.target import Target

WEIGHTS = Path(__file__).resolve().parent / "tableau" / "weights"
CARD = "card.json"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Embedded:
    """A model that comes with the checkout. `copies` names the model whose configuration an untrained one takes."""

    name: str
    about: str
    copies: str = ""

    @property
    def folder(self) -> Path:
        """Where its files lie (an untrained model's: the configuration that it takes)."""
        return WEIGHTS / (self.copies or self.name)

    @property
    def state(self) -> str:
        """`ready`, or what is missing; hashes are compared only when the model is opened."""
        needed = ("config.json", CARD) if self.copies else ("config.json", CARD, "model.safetensors")
        present = all((self.folder / name).is_file() for name in needed)
        return "ready" if present else "weights missing"


EMBEDDED = {
    model.name: model
    for model in (
        Embedded("tableau-llava", "answers questions about painted scenes (LLaVA, trained in stages)"),
        Embedded("tableau-llava-random", "the same, never trained: the control", copies="tableau-llava"),
        Embedded("tableau-llava-shortcut", "a sibling that answers by the planted cues: audits must find it"),
        Embedded("tableau-llava-balanced", "a sibling weaned of the planted cues: audits must find nothing"),
        Embedded("tableau-clip", "matches painted scenes with captions (CLIP)"),
    )
}
EDITORS = ("tableau-pix2pix",)
"""Models that come with the checkout and edit pictures (diffusers pipelines)."""


def open_target(
    name: str, device: str = "auto", *, dtype: str = "float32", seed: int = 0, weights: Path | None = None
) -> Target:
    """The target that `name` means, its weights checked against its card if it is an embedded one.

    `NAME@CHECKPOINT` is an embedded model as it stood earlier in its training.

    `seed` draws the weights of an untrained model and means nothing for others; `weights` replaces the folder of the
    embedded models' folders. Raises UserError when nothing is meant, or its files are missing or changed.
    """
    base, at, checkpoint = name.partition("@")
    if at and base in EMBEDDED and not EMBEDDED[base].copies:
        return _open_checkpoint(EMBEDDED[base], checkpoint, device, dtype, weights)
    if name not in EMBEDDED:
        source = _outside(name)
        from tools.targets.load import load_target

        return load_target(source, name=name, device=device, dtype=dtype)
    model = EMBEDDED[name]
    folder = weights / model.folder.name if weights else model.folder
    verify(folder)
    from tools.targets.load import load_target, untrained_target

    if model.copies:
        return untrained_target(folder, seed=seed, name=name, device=device, dtype=dtype)
    return load_target(folder, name=name, device=device, dtype=dtype)


def _open_checkpoint(
    model: Embedded, checkpoint: str, device: str, dtype: str, weights: Path | None
) -> Target:
    """A model as it stood at an earlier point of its training; the card of the finished one vouches for its files."""
    folder = weights / model.name if weights else model.folder
    verify(folder)
    kept = sorted(path.parent.name for path in (folder / "checkpoints").glob("*/processor_config.json"))
    if checkpoint not in kept:
        raise UserError(
            f"`{model.name}` has no checkpoint `{checkpoint}`",
            kind="unknown_target",
            hint=f"checkpoints: {', '.join(f'{model.name}@{name}' for name in kept) or 'none'}",
        )
    from tools.targets.load import load_target

    name = f"{model.name}@{checkpoint}"
    return load_target(folder / "checkpoints" / checkpoint, name=name, device=device, dtype=dtype)


def open_judge(folder: Path | None = None) -> Judge:
    """The embedded concept judge on the CPU, its weights checked against its card."""
    from experiments.tableau.judge import Judge

    source = folder or WEIGHTS / "tableau-judge"
    verify(source)
    return Judge.load(source)


def open_editor(
    name: str,
    device: str = "auto",
    *,
    dtype: str = "float32",
    base_url: str = "",
    prices: Prices | None = None,
    hosts: Sequence[str] = (),
    retries: int = RETRIES,
    timeout: float = TIMEOUT,
    settings: Settings | None = None,
    progress: Progress | None = None,
    weights: Path | None = None,
) -> PictureModel:
    """The picture model that `name` means: an embedded one, a diffusers folder or hub id, or `openai:MODEL`.

    `base_url`, `prices`, `hosts` (servers that its pictures may be fetched from), `retries` and `timeout` (seconds)
    concern an endpoint; `device` and `dtype` all others. An embedded editor's own `settings` are those that it was
    measured with; `weights` replaces the folder of the embedded models' folders. Raises UserError when nothing is
    meant, it can't edit, or a setting does not fit it.
    """
    from tools.editing.backend import silent

    tell = progress or silent
    kind, _, model = name.partition(":")
    if kind == "openai" and model:
        from tools.editing.endpoint import EndpointModel

        return EndpointModel(
            model,
            base_url,
            settings=settings,
            prices=prices,
            hosts=hosts,
            retries=retries,
            timeout=timeout,
            progress=tell,
        )
    source = name
    if name in EDITORS:
        folder = (weights or WEIGHTS) / name
        verify(folder)
        from experiments.tableau.drawing_settings import drawing_settings

        source, settings = str(folder), settings or drawing_settings()
    elif not Path(name).expanduser().is_dir() and not _is_hub_id(name):
        raise UserError(
            f"`{name}` is neither an embedded editor, nor a folder, nor a hub id",
            kind="unknown_editor",
            hint=f"give {', '.join(f'`{each}`' for each in EDITORS)}, a diffusers folder, or `openai:MODEL`",
        )
    from tools.editing.loading import load_picture_model

    place = str(Path(source).expanduser()) if Path(source).expanduser().is_dir() else source
    return load_picture_model(place, name=name, device=device, dtype=dtype, settings=settings, progress=tell)


def verify(folder: Path) -> None:
    """Compare the files of an embedded model with the hashes in its card (`{"sha256": {file: hex}}`).

    Raises UserError when a file is missing, or is not the one that the card describes.
    """
    card = folder / CARD
    if not card.is_file():
        raise _missing(folder, CARD)
    try:
        hashes: dict[str, str] = json.loads(card.read_text(encoding="utf-8"))["sha256"]
    except (ValueError, KeyError) as error:
        raise UserError(
            f"the card of `{folder.name}` can't be read ({error})",
            kind="changed_weights",
            hint=f"run `git checkout -- {_place(folder)}`",
        ) from error
    for file, expected in hashes.items():
        path = folder / file
        if not path.is_file():
            raise _missing(folder, file)
        if sha256_of(path) != expected:
            raise UserError(
                f"weights of `{folder.name}` are not the ones that its card describes (`{file}` differs)",
                kind="changed_weights",
                hint=f"run `git checkout -- {_place(folder)}`, or `make train` to make weights and card anew",
            )


def _outside(name: str) -> str:
    """A folder or hub id, told by its form; a refusal for anything else."""
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise UserError(
                f"`{name}` holds no model: it has no `config.json`",
                kind="unloadable",
                hint="give a folder that `save_pretrained` wrote",
            )
        return str(path)
    if _is_hub_id(name):
        return name
    close = get_close_matches(name, EMBEDDED, n=1, cutoff=0.5)
    raise UserError(
        f"`{name}` is neither an embedded target, nor a folder, nor a hub id",
        kind="unknown_target",
        hint=f"did you mean `{close[0]}`?" if close else f"embedded targets: {', '.join(EMBEDDED)}",
    )


def _is_hub_id(name: str) -> bool:
    return bool(_HUB_ID.fullmatch(name)) and not name.startswith(".")


def _missing(folder: Path, file: str) -> UserError:
    return UserError(
        f"weights of `{folder.name}` are missing (no `{_place(folder)}/{file}`)",
        kind="missing_weights",
        hint=f"run `git checkout -- {_place(folder)}`, or `make train` to train them",
    )


def _place(folder: Path) -> str:
    """The folder as a reader of the checkout would write it."""
    checkout = WEIGHTS.parents[2]
    return str(folder.relative_to(checkout)) if folder.is_relative_to(checkout) else str(folder)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
