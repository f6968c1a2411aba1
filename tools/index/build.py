"""Building the exemplar index: one pass over the stimuli for all components of all layers.

Knows the stream, its checkpoints and the finished files; knows nothing about models (an ActivationSource gives the
values). Memory does not grow with the number of stimuli. Every CHECKPOINT chunks the state replaces its file in one
step; the chunks' borders are fixed, so a build that was killed anywhere ends with the same bytes as an undisturbed one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32, Int32

from store.address import Address, Extent
from tools.index.exemplars import COMPONENTS, Arrays, ExemplarIndex, load_index
from tools.index.manifest import MANIFEST, Manifest, read_manifest
from tools.index.running import DEPTH, Running
from tools.index.sample import SAMPLE, halved, sampled, streamed
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
DEAD = 0.01
"""A component whose values vary by less than this share of what is usual at its site is dead."""
_BUILDING = "building"
_BLOCK = 2048


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

    `fingerprint` names the target's weights; `limit` streams that many stimuli, drawn by `seed`, instead of all.
    """
    addresses = tuple(extent.all()) if components is None else tuple(components)
    stream = streamed(len(images), limit, seed)
    manifest = Manifest(
        target=extent.target,
        fingerprint=fingerprint,
        images=images.name,
        split=images.split,
        images_fingerprint=images.fingerprint,
        available=len(images),
        stimuli=len(stream),
        seed=seed,
        chunk=CHUNK,
        depth=DEPTH,
        sample=min(SAMPLE, len(stream)),
        components=hashlib.sha256("\n".join(map(str, addresses)).encode()).hexdigest(),
    )
    if not _is_there(folder / MANIFEST, manifest):
        building = _opened(folder, manifest)
        running = _stream(source, images, addresses, stream, manifest, building, progress)
        _finish(folder, building, running, addresses, stream, manifest)
    return load_index(folder)


def _is_there(path: Path, manifest: Manifest) -> bool:
    return path.is_file() and read_manifest(path.parent).differs_from(manifest) is None


def _opened(folder: Path, manifest: Manifest) -> Path:
    """The folder of the unfinished build that `manifest` names, cleared of any other."""
    (folder / MANIFEST).unlink(missing_ok=True)
    building = folder / _BUILDING
    if not _is_there(building / MANIFEST, manifest):
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        _write_manifest(building, manifest)
    return building


def _stream(
    source: ActivationSource,
    images: ImageSource,
    addresses: Sequence[Address],
    stream: Int32[np.ndarray, "stimulus"],
    manifest: Manifest,
    building: Path,
    progress: Progress,
) -> Running:
    running = Running.empty(len(POOLS), len(addresses), manifest.depth)
    state, kept = building / "state.npz", building / "sample.npy"
    places = sampled(stream, manifest.seed, manifest.sample)
    shape = (len(places), len(POOLS), len(addresses))
    if state.is_file():
        running.restore(state)
        sample = np.lib.format.open_memmap(kept, mode="r+")
    else:
        sample = np.lib.format.open_memmap(kept, mode="w+", dtype=np.float32, shape=shape)
    progress("stimuli", running.done, len(stream))
    while running.done < len(stream):
        first = running.done
        numbers = stream[first : first + manifest.chunk]
        values = source.pooled(addresses, [images.asked(int(number)) for number in numbers])
        rows = np.flatnonzero((places >= first) & (places < first + len(numbers)))
        sample[rows] = values[:, places[rows] - first].transpose(1, 0, 2)
        running.add(numbers, values)
        if running.done % (CHECKPOINT * manifest.chunk) == 0 or running.done == len(stream):
            sample.flush()
            running.save(state)
        progress("stimuli", running.done, len(stream))
    return running


def _finish(
    folder: Path,
    building: Path,
    running: Running,
    addresses: Sequence[Address],
    stream: Int32[np.ndarray, "stimulus"],
    manifest: Manifest,
) -> None:
    """Writes the files, the manifest last, and clears the workings away."""
    count = running.moments.count
    places = sampled(stream, manifest.seed, manifest.sample)
    sample = np.lib.format.open_memmap(
        folder / "sample.npy", mode="w+", dtype=np.float16, shape=(len(addresses), len(POOLS), len(places))
    )
    scale = np.ones((len(addresses), len(POOLS)), np.float32)
    kept = np.load(building / "sample.npy", mmap_mode="r")
    for first in range(0, len(addresses), _BLOCK):
        block = slice(first, first + _BLOCK)
        sample[block], scale[block] = halved(np.asarray(kept[:, :, block]).transpose(2, 1, 0))
    sample.flush()
    arrays = Arrays(
        top_values=running.top.values,
        top_numbers=running.top.numbers,
        low_values=-running.low.values,
        low_numbers=running.low.numbers,
        n=count,
        mean=np.where(count > 0, running.moments.mean, np.nan),
        sd=running.moments.sd,
        fires=running.fires.rate(count),
        fires_low=running.silent.rate(count),
        dead=dead(running, addresses),
        sample=sample,
        scale=scale,
        sample_numbers=stream[places],
    )
    for name, array in zip(Arrays._fields, arrays, strict=True):
        if name != "sample":
            np.save(folder / f"{name}.npy", array)
    (folder / COMPONENTS).write_text("\n".join(map(str, addresses)) + "\n", encoding="utf-8")
    _write_manifest(folder, manifest)
    shutil.rmtree(building)


def dead(running: Running, addresses: Sequence[Address]) -> Bool[np.ndarray, "component"]:
    """Which components vary by less than a hundredth of the median component of their site, over all pools."""
    with np.errstate(invalid="ignore"):
        ranges = running.top.values[..., 0] + running.low.values[..., 0]
    varies: Float32[np.ndarray, "component"] = np.where(np.isfinite(ranges), ranges, 0).max(axis=0)
    sites = np.array([address.site for address in addresses])
    found = varies <= 0
    for site in np.unique(sites):
        here = sites == site
        alive = varies[here & (varies > 0)]
        if len(alive):
            found |= here & (varies < DEAD * np.median(alive))
    return found


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    fresh = folder / f"{MANIFEST}.{os.getpid()}"
    with fresh.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, folder / MANIFEST)
