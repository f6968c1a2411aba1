"""How much memory a device has free now, as far as the operating system or its driver says.

On a CPU that is what the system can give without swapping, or what is left to the container. Knows nothing about what
it is for.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch

SYSTEM = Path("/proc/meminfo")
CONTAINER = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)
"""A container's limit and what it uses, as two generations of Linux tell them."""
ASSUMED = 1 << 32
"""Bytes where nothing says."""


def free_bytes(device: torch.device) -> int:
    """What can be allocated on the device now; of an accelerator, with what torch holds but does not use."""
    if device.type == "cuda":
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + idle
    if device.type == "mps":
        return max(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory(), 0)
    told = [available(), *(left(limit, used) for limit, used in CONTAINER)]
    return min((one for one in told if one is not None), default=ASSUMED)


def available(system: Path = SYSTEM) -> int | None:
    """What the operating system can give; None where it does not say."""
    if system.exists():
        for line in system.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    names = ("SC_AVPHYS_PAGES", "SC_PAGE_SIZE")
    if hasattr(os, "sysconf") and all(name in os.sysconf_names for name in names):
        return os.sysconf(names[0]) * os.sysconf(names[1])
    return None


def left(limit: Path, used: Path) -> int | None:
    """What is left to a container; None where it has no limit."""
    if not (limit.exists() and used.exists()) or not (most := limit.read_text().strip()).isdigit():
        return None
    return max(int(most) - int(used.read_text()) + _reclaimable(used.with_name("memory.stat")), 0)


def _reclaimable(told: Path) -> int:
    """Pages of files, which the kernel drops before anything fails; an older kernel says `total_` of a whole group."""
    if not told.exists():
        return 0
    lines = dict(line.split()[:2] for line in told.read_text().splitlines() if len(line.split()) > 1)
    names = ("inactive_file", "active_file")
    return sum(int(lines.get(f"total_{name}", lines.get(name, 0))) for name in names)
