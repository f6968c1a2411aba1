"""What an index of all neurons and heads costs beside bare forward passes over the same stimuli.

Both begin with pictures and words, so that what the processor takes is in both. Knows the index's parts; knows nothing
about exemplars.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from tools.activations import ModelActivations
from tools.index.running import Running
from tools.pools import POOLS
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

AT_ONCE = 8
"""Stimuli in one forward pass, of both."""


def scan_cost(target: Target, stimuli: Sequence[Stimulus], rounds: int = 5) -> dict[str, Any]:
    """Seconds of a scan as a multiple of a bare pass, in turns; the first of the rounds is left out."""
    adapter = adapter_for(target)
    addresses = tuple(adapter.extent().all())
    numbers = np.arange(len(stimuli), dtype=np.int32)
    bare, scans = [], []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        with torch.inference_mode():
            for start in range(0, len(stimuli), AT_ONCE):
                adapter.forward(adapter.batch(stimuli[start : start + AT_ONCE]))
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        running = Running.empty(len(POOLS), len(addresses))
        source = ModelActivations(target, adapter, batch=AT_ONCE)
        running.add(numbers, source.pooled(addresses, stimuli))
        scans.append(time.perf_counter() - began)
    ratio = np.array(scans[1:]) / np.array(bare[1:])
    half = 1.96 * ratio.std(ddof=1) / rounds**0.5
    return {
        "components": len(addresses),
        "stimuli": len(stimuli),
        "rounds": rounds,
        "bare_seconds": float(np.mean(bare[1:])),
        "scan_seconds": float(np.mean(scans[1:])),
        "ratio": {
            "value": float(ratio.mean()),
            "ci": [float(ratio.mean() - half), float(ratio.mean() + half)],
        },
    }
