"""Writing a finished index: what streamed past becomes the files that exemplars.py reads.

Knows the arrays and which components count as dead; knows nothing about how the values were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Int32

from store.address import Address
from tools.index.exemplars import COMPONENTS, SAMPLE_FILE
from tools.index.files import replacing
from tools.index.running import Running
from tools.index.sample import Staged, halved

DEAD = 0.01
"""A component whose values vary by less than this share of what is usual at its site is dead."""
BLOCK = 2048
"""Components whose samples are in memory at once."""


def write_index(
    folder: Path,
    running: Running,
    staged: Staged,
    addresses: Sequence[Address],
    sample_numbers: Int32[np.ndarray, "place"],
) -> None:
    """Every file but the manifest. Where a component had no finite number, `n` is minus the number of such stimuli."""
    n = np.where(running.moments.broken > 0, -running.moments.broken, running.moments.count)
    arrays = {
        "top_values": running.top.values,
        "top_numbers": running.top.numbers,
        "low_values": -running.low.values,
        "low_numbers": running.low.numbers,
        "n": n,
        "mean": np.where(n > 0, running.moments.mean, np.nan),
        "sd": running.moments.sd,
        "fires": running.fires.rate(running.moments.count),
        "fires_low": running.silent.rate(running.moments.count),
        "dead": dead(running, addresses),
        "sample_numbers": sample_numbers,
        "scale": _write_sample(folder / SAMPLE_FILE, staged),
    }
    for name, array in arrays.items():
        with replacing(folder / f"{name}.npy") as file:
            np.save(file, array)
    with replacing(folder / COMPONENTS) as file:
        file.write("".join(f"{address}\n" for address in addresses).encode())


def dead(running: Running, addresses: Sequence[Address]) -> Bool[np.ndarray, "component"]:
    """Which components vary by less than a hundredth of the median component of their site, over all pools; what gives
    no numbers is not dead."""
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
    return found & ~(running.moments.broken > 0).any(axis=0)


def _write_sample(path: Path, staged: Staged) -> Float32[np.ndarray, "component pool"]:
    """Turns the staged rows into columns, two bytes a value; gives the scales."""
    places, pools, components = staged.shape
    header = {"descr": "<f2", "fortran_order": False, "shape": (components, pools, places)}
    scales: list[Float32[np.ndarray, "component pool"]] = []
    with replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, components, BLOCK):
            half, scale = halved(staged.columns(slice(first, first + BLOCK)))
            file.write(half.astype("<f2").tobytes())
            scales.append(scale)
    return np.concatenate(scales)
