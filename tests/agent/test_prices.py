"""What tokens cost: known, unknown, and as a user's own file says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from agent.prices import SHIPPED, read_prices
from store.errors import UserError


def test_the_shipped_prices_count_input_cached_input_and_output_apart() -> None:
    money = read_prices().money(("gpt-4o-mini",), prompt=2_000_000, completion=1_000_000, cached=1_000_000)
    assert money == pytest.approx(0.15 + 0.075 + 0.60)


def test_the_shipped_file_says_when_and_where_its_prices_were_listed_and_how_to_change_them() -> None:
    told = SHIPPED.read_text(encoding="utf-8")
    known = tomllib.loads(told)
    assert re.fullmatch(r"\d{4}-\d{2}", known["as_of"]) and known["source"].startswith("https://")
    comments = " ".join(line.removeprefix("# ") for line in told.splitlines() if line.startswith("#"))
    for word in ("`--prices`", "MAIEUTIC_PRICES", "unknown price", "`--max-money`"):
        assert word in comments


def test_one_days_edition_costs_what_its_model_does_and_a_smaller_sister_does_not() -> None:
    prices = read_prices()
    assert prices.of("gpt-4o-2024-08-06") == prices.of("gpt-4o") != prices.of("gpt-4o-mini")
    assert prices.of("gpt-4o-audio") is None


def test_a_model_that_nobody_priced_has_no_price_and_not_a_price_of_nothing() -> None:
    assert read_prices().money(("qwen3-vl",), 1000, 1000) is None


def test_a_price_is_for_tokens_or_for_a_picture_and_never_half_of_one(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text("[models.brush]\npicture = 0.04\n")
    prices = read_prices(own)
    assert prices.of_picture("brush") == 0.04 and prices.money(("brush",), 10, 10) is None
    assert prices.of_picture("gpt-4o") is None and prices.of_picture("unknown") is None
    for half in ("input = 1.0", "output = 1.0", "cached = 1.0"):
        own.write_text(f"[models.brush]\n{half}\n")
        with pytest.raises(UserError, match="give `input` and `output`, or `picture`"):
            read_prices(own)


def test_a_file_of_ones_own_goes_before_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[models."gpt-4o"]\ninput = 1.0\noutput = 2.0\n[models.mine]\ninput = 0.0\noutput = 0.0\n')
    prices = read_prices(own)
    assert prices.money(("gpt-4o",), 1_000_000, 1_000_000) == 3.0
    assert prices.money(("mine",), 5, 5) == 0.0 and prices.of("gpt-4o-mini") is not None


def test_prices_in_another_currency_do_not_mix(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('currency = "EUR"\n[models.mine]\ninput = 1.0\noutput = 1.0\n')
    prices = read_prices(own)
    assert prices.currency == "EUR" and prices.of("gpt-4o") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("models = 3", "`models`"),
        ('[models."x"]\ninput = 1.0', "`models.x`: give `input` and `output`, or `picture`"),
        ('[models."x"]\ninput = -1.0\noutput = 0.0', "`models.x.input`"),
        ("currency = ", "can't be read"),
    ],
)
def test_a_price_file_that_is_none_is_refused_with_the_field(tmp_path: Path, text: str, told: str) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(text)
    with pytest.raises(UserError) as failed:
        read_prices(own)
    assert told in failed.value.message and failed.value.kind == "prices"


def test_a_price_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        read_prices(tmp_path / "nowhere.toml")
