"""What Neo et al. 2024 report, as they print it: tables 1 and 2 and the lens, for LLaVA 1.5 7B and LLaVA-Phi.

The printed decimals imply small numbers of items, which the text does not give: every value of LLaVA 1.5's captions and
polls is some k/39 (random rows of the captions k/41), of its questions k/90.
"""

from __future__ import annotations

from typing import Any

READOUTS = ("captions", "polling", "vqa")
ABLATION: dict[str, dict[str, tuple[float, float, float]]] = {
    "LLaVA 1.5": {
        "object": (33.33, 15.38, 33.33),
        "object+1": (71.79, 51.28, 86.67),
        "object+2": (76.92, 64.10, 92.22),
        "register": (5.13, 0.0, 3.33),
        "gradients+1": (48.72, 35.90, 50.00),
        "gradients+2": (58.97, 48.72, 71.11),
        "random+1": (2.44, 0.0, 0.0),
        "random+2": (7.32, 0.0, 1.11),
    },
    "LLaVA-Phi": {
        "object": (47.46, 28.48, 41.51),
        "object+1": (82.89, 86.48, 96.23),
        "object+2": (89.56, 95.49, 100.0),
        "register": (7.63, 0.0, 1.89),
        "gradients+1": (61.49, 26.64, 56.60),
        "gradients+2": (70.61, 40.98, 69.81),
        "random+1": (8.51, 0.0, 0.0),
        "random+2": (9.39, 0.41, 3.77),
    },
}
"""Decrease in per cent by READOUTS; sets of 40 and 60 tokens stand for those as large as one and two rings (33 and 60).
"""
WINDOWS = ("early", "early-mid", "mid", "mid-late", "late", "all")
KNOCKOUT: dict[str, tuple[float, ...]] = {
    "object → last": (1.00, 1.00, 0.96, 0.88, 0.93, 0.82),
    "object+1 → last": (1.00, 0.99, 0.90, 0.82, 0.89, 0.67),
    "object+2 → last": (1.00, 1.00, 0.91, 0.80, 0.91, 0.68),
    "rest → last": (0.88, 1.00, 0.97, 0.96, 0.98, 0.82),
    "object+1 → last row": (1.00,) * 6,
    "rest → last row": (1.00,) * 6,
}
"""Share of accuracy kept, by WINDOWS."""
LENS = {
    "LLaVA 1.5": {"share": 0.237, "depth": 0.78, "n": 170},
    "Qwen2-VL-2B": {"share": 0.065, "depth": 0.87, "n": 253},
}


def as_json() -> dict[str, Any]:
    """The paper's numbers in the shape of a record: shares from 0 to 1."""
    return {
        "source": "Neo et al. 2024, arXiv:2410.07149",
        "ablation": {
            model: {
                name: {
                    readout: round(value / 100, 4) for readout, value in zip(READOUTS, values, strict=True)
                }
                for name, values in rows.items()
            }
            for model, rows in ABLATION.items()
        },
        "implied_n": {"captions": 39, "polling": 39, "vqa": 90},
        "knockout": {name: dict(zip(WINDOWS, values, strict=True)) for name, values in KNOCKOUT.items()},
        "lens": LENS,
    }
