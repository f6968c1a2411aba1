"""A bench target: a model some of whose components have another truth than its weights, under a fingerprint of its own.

Results of different fingerprints never mix, so indexes, caches and records of one bench are neither the model's nor
another seed's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from tools.targets.fingerprint import fingerprint
from tools.targets.target import Target


@dataclass(frozen=True, eq=False)
class BenchTarget(Target):
    """`truth` says in one string what stands at which address."""

    truth: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of weights, configuration and truth."""
        return hashlib.sha256(f"{fingerprint(self.model)}|{self.truth}".encode()).hexdigest()
