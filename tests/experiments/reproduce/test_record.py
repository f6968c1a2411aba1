"""What is told of a NOTICE reproduction: heads that recur and their roles, a finding that may be bad news, a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.commands.reproduce_tables import print_notice
from experiments.reproduce.effects import Effects
from experiments.reproduce.items import Corruption, Items
from experiments.reproduce.measured import Measured
from experiments.reproduce.noise import Strength
from experiments.reproduce.notice import Loss, Notice, as_json
from experiments.reproduce.notice_figure import draw_notice
from experiments.reproduce.recurring import recurring
from experiments.reproduce.removal import Treated
from experiments.reproduce.roles import REGIONS, Looking
from experiments.tableau.drawing import save
from store.address import parse
from store.values import Estimate

KINDS = ("color", "shape", "fill", "polling")
HEADS = tuple(parse(f"language.{layer}.head.{head}") for layer in (2, 3) for head in range(4))
PAIRS = 16
ABOUT = {"target": "made", "fingerprint": "", "images": "", "editor": "exact", "seed": 0, "n": PAIRS}


def made(strong: tuple[int, ...], lost: float = 0.4) -> dict[str, Any]:
    """A record in which these heads restore a third of the gap in every kind, and their loss costs this accuracy."""
    random = np.random.default_rng(5)
    kinds = []
    for place, kind in enumerate(KINDS):
        restored = random.normal(0, 0.02, (len(HEADS), PAIRS))
        restored[list(strong)] += 2 / 3
        effects = Effects(np.ones(PAIRS), -np.ones(PAIRS), restored)
        gap: dict[Corruption, Estimate] = {"SIP": Estimate(0.01, -0.02, 0.03, PAIRS)}
        kinds.append(
            Measured(Items(kind, (), PAIRS, 0, 0), HEADS, {"SIP": effects, "GN": effects}, gap, place)
        )
    chosen = np.stack([one.beyond_chance("SIP", 1) for one in kinds])
    even = np.full((len(HEADS), PAIRS, len(REGIONS)), 0.25)
    seen = even.copy()
    seen[0, :, REGIONS.index("asked")] = 0.75
    universal = recurring(chosen, [head.layer for head in HEADS], 3, seed=1)
    after = np.where(np.arange(200) < 200 * lost, 0.0, 1.0)
    loss = Loss(tuple(HEADS[place] for place in strong), Treated(np.ones(200), after, np.ones(200)))
    measures = {
        measure: {
            name: Estimate(1, 0.5, 1.5, 64).as_json() for name in ("untouched", "SIP", "GN", "GN − SIP")
        }
        for measure in ("norm", "neighbors")
    }
    found = Notice(
        HEADS,
        Strength(0.4, {}),
        tuple(kinds),
        {"scopes": {"picture": measures, "words": measures}},
        universal,
        recurring(~chosen & chosen, [0] * len(HEADS), 3, seed=1),
        Looking(seen, even),
        loss if strong else None,
        seed=3,
    )
    return as_json(found, ABOUT)


def test_heads_that_stand_out_everywhere_are_universal_with_their_kinds_and_roles() -> None:
    told = made((0, 5))
    heads = {one["component"]: one for one in told["universal"]["heads"]}
    assert set(heads) == {"language.2.head.0", "language.3.head.1"} and told["universal"]["p"] < 0.05
    assert heads["language.2.head.0"]["role"] == "detection" and heads["language.3.head.1"]["role"] == "none"
    assert heads["language.2.head.0"]["kinds"] == list(KINDS)
    assert heads["language.2.head.0"]["mean_share"] == pytest.approx(1 / 3, abs=0.01)
    assert heads["language.2.head.0"]["attention_over_even"]["asked"]["value"] == pytest.approx(3)
    assert told["finding"].startswith("2 of 8 heads bring the answer back in 3 or more of 4 kinds")
    assert "costs 40 points, as many random heads 0" in told["finding"]


def test_a_loss_that_random_heads_equal_is_no_sure_difference() -> None:
    assert made((0, 5), lost=0.0)["finding"].endswith("(no sure difference)")


def test_a_target_without_universal_heads_is_told_so() -> None:
    told = made(())
    assert told["finding"].startswith("Universal heads are not present in this target: 0 of 8 heads")
    assert told["ablation"] is None and told["universal"]["heads"] == []


@pytest.mark.parametrize("strong", [(0, 5), ()])
def test_the_figure_and_the_table_say_what_the_record_says(
    strong: tuple[int, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = made(strong)
    figure = draw_notice(told)
    assert told["finding"].split()[-1] in figure.get_suptitle()
    save(figure, tmp_path / "notice.png")
    assert (tmp_path / "notice.png").stat().st_size > 20_000
    print_notice(told)
    printed = capsys.readouterr()
    assert told["finding"] in printed.out and ("silenced" in printed.err) == bool(strong)
    assert ("language.2.head.0" in printed.out) == bool(strong)
