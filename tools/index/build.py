"""Building the exemplar index: one pass over the stimuli for all components of all layers.

Knows the stream and its checkpoints; knows nothing about models (an ActivationSource gives the values). Memory does not
grow with the number of stimuli. Every CHECKPOINT chunks the state replaces its file in one step; the chunks' borders
are fixed, so a build that was killed anywhere ends with the same bytes as an undisturbed one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int32

from store.address import Address, Extent
from store.errors import UserError
from tools.index.exemplars import ExemplarIndex, load_index
from tools.index.files import locked, writing
from tools.index.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from tools.index.running import DEPTH, Running
from tools.index.sample import SAMPLE, Staged, sampled, streamed
from tools.index.write import write_index
from tools.pools import POOLS
from tools.stimuli import ImageSource

if TYPE_CHECKING:
    from tools.activations import ActivationSource

Progress = Callable[[str, int, int], None]
"""What is being done, how much is done, of how much."""

CHUNK = 64
"""Stimuli measured at a time."""
CHECKPOINT = 8
"""Chunks between two states on disk."""
BUILDING = "building"


@dataclass(frozen=True)
class Stream:
    """What is streamed: which stimuli, by number, and which places of the stream belong to the sample."""

    source: ActivationSource
    images: ImageSource
    components: Sequence[Address]
    numbers: Int32[np.ndarray, "stimulus"]
    places: Int32[np.ndarray, "place"]


def index_folder(cache: Path, fingerprint: str, images: ImageSource) -> Path:
    """Where the index of a target over an image source belongs; different ones never meet."""
    return cache / "index" / f"{fingerprint[:16]}-{images.fingerprint[:16]}"


def build_index(
    source: ActivationSource,
    extent: Extent,
    images: ImageSource,
    folder: Path,
    progress: Progress = lambda what, done, total: None,
    *,
    fingerprint: str,
    components: Sequence[Address] | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> ExemplarIndex:
    """The index of every neuron and head (or of `components`) over `images` asked their questions, finished in
    `folder`; what is there already is used as far as it fits, and replaced where it was made from something else.

    `fingerprint` names what the values come from (the target's weights); `limit` streams that many stimuli, drawn by
    `seed`, instead of all. Raises UserError when another process is building there, or the disk is full.
    """
    addresses = tuple(extent.all()) if components is None else tuple(components)
    numbers = streamed(len(images), limit, seed)
    manifest = Manifest(
        target=extent.target,
        fingerprint=fingerprint,
        images=images.name,
        split=images.split,
        images_fingerprint=images.fingerprint,
        available=len(images),
        stimuli=len(numbers),
        seed=seed,
        chunk=CHUNK,
        depth=DEPTH,
        sample=min(SAMPLE, len(numbers)),
        components=hashlib.sha256("\n".join(map(str, addresses)).encode()).hexdigest(),
    )
    if not len(images):
        raise UserError(
            f"`{images.name}` holds no pictures", kind="images", hint="give a collection that holds some"
        )
    if not _is_there(folder, manifest) or (folder / BUILDING).exists():
        stream = Stream(source, images, addresses, numbers, sampled(numbers, seed, manifest.sample))
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock")):
            _build(stream, folder, manifest, progress)
    return load_index(folder)


def _is_there(folder: Path, manifest: Manifest) -> bool:
    """Whether a folder holds just this; what can't be read, or is of another version, is none of ours."""
    try:
        return read_manifest(folder) == manifest
    except UserError:
        return False


def _build(stream: Stream, folder: Path, manifest: Manifest, progress: Progress) -> None:
    building = folder / BUILDING
    if _is_there(folder, manifest):  # only the clearing away was cut off
        shutil.rmtree(building, ignore_errors=True)
        return
    with writing(folder):
        (folder / MANIFEST).unlink(missing_ok=True)
        if not _is_there(building, manifest):
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            write_manifest(building, manifest)
    staged = Staged(building / "sample.f32", len(stream.places), len(POOLS), len(stream.components))
    running = _run(stream, building / "state.npz", staged, progress)
    with writing(folder):
        write_index(folder, running, staged, stream.components, stream.numbers[stream.places])
        write_manifest(folder, manifest)
        shutil.rmtree(building)


def _run(stream: Stream, state: Path, staged: Staged, progress: Progress) -> Running:
    """Takes in what an earlier process has not."""
    running = Running.empty(len(POOLS), len(stream.components))
    if state.is_file():
        running.restore(state)
    total = len(stream.numbers)
    progress("stimuli", running.done, total)
    while (first := running.done) < total:
        numbers = stream.numbers[first : first + CHUNK]
        stimuli = [stream.images.asked(int(number)) for number in numbers]
        values = stream.source.pooled(stream.components, stimuli)
        running.add(numbers, values)
        rows = np.flatnonzero((stream.places >= first) & (stream.places < running.done))
        with writing(state.parent):
            staged.put(rows, values[:, stream.places[rows] - first])
            if running.done % (CHECKPOINT * CHUNK) == 0 or running.done == total:
                staged.flush()
                running.save(state)
        progress("stimuli", running.done, total)
    return running
