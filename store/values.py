"""Numbers as this project writes them: a value with its interval and the number of things it was measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with its 95 % interval; `n` counts independent samples."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] n={self.n}"

    def as_json(self, name: str = "value") -> dict[str, Any]:
        """The shape of the public contract: `{name: value, "ci": [low, high], "n": n}`."""
        return {name: round(self.value, 6), "ci": [round(self.low, 6), round(self.high, 6)], "n": self.n}
