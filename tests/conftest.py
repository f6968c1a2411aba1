"""What tests of every room share: tiny models made offline, and the refusal to skip in silence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.labelling import Labelled

CHECKOUT = Path(__file__).resolve().parent.parent
WEIGHTS = CHECKOUT / "experiments" / "tableau" / "weights"
REQUIRED = frozenset(filter(None, os.environ.get("MAIEUTIC_REQUIRE", "").split(",")))

os.environ["HF_HUB_OFFLINE"] = "1"

# A machine that does something else at the same time must not fail a property.
settings.register_profile(
    "patient", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def skip_or_fail(need: str, reason: str) -> None:
    """Skip with the reason, or fail with it where MAIEUTIC_REQUIRE names the need."""
    if need in REQUIRED:
        pytest.fail(f"MAIEUTIC_REQUIRE names `{need}`, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def llava_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained LLaVA as `save_pretrained` leaves it."""
    from tests.tiny import save_llava

    return save_llava(tmp_path_factory.mktemp("models") / "tiny-llava")


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained CLIP as `save_pretrained` leaves it."""
    from tests.tiny import save_clip

    return save_clip(tmp_path_factory.mktemp("models") / "tiny-clip")


@pytest.fixture(scope="session")
def committed_weights() -> Path:
    """The folder of the embedded models' weights; its absence skips, or fails where they are required."""
    if not any(WEIGHTS.glob("*/*.safetensors")):
        skip_or_fail("weights", f"there are no weights in `{WEIGHTS.relative_to(CHECKOUT)}`")
    return WEIGHTS


@pytest.fixture(scope="session")
def labelled(committed_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """A finished labelling run of two neurons; the processes of one test run share it."""
    from tests.labelling import labelled

    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    return labelled(shared / "labelled")
