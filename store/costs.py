"""What language models have cost, added up from the record.

Knows payments, and the fields in which a turn's usage is kept; a price that nobody knew stays unknown in every sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from store.records import Model
from store.views import Payment


class Spent(Model):
    """`money` is what is known of it, `unknown` counts requests without a known price, `estimated` those whose tokens
    no endpoint told."""

    tokens: int = 0
    requests: int = 0
    money: float = 0.0
    unknown: int = 0
    estimated: int = 0
    currency: str = ""

    @property
    def priced(self) -> float | None:
        """The money; None where a part of it is unknown."""
        return None if self.unknown else self.money

    def as_json(self) -> dict[str, Any]:
        """`money` is null where a part of it is unknown."""
        return {
            "tokens": self.tokens,
            "requests": self.requests,
            "money": self.priced,
            "currency": self.currency,
        }

    def words(self) -> str:
        """`12,300 tokens in 14 requests, 0.021 USD`, or what of that is not known; "" where nothing was asked."""
        if not self.requests:
            return ""
        told = f"{self.tokens:,} tokens in {self.requests:,} request{'s' if self.requests > 1 else ''}"
        told += f" ({self.estimated} of them estimated)" if self.estimated else ""
        known = f"{self.money:.3g} {self.currency}".rstrip()
        if not self.unknown:
            return f"{told}, {known}"
        return (
            f"{told}, {known} known, {self.unknown} at an unknown price"
            if self.money
            else f"{told}, price unknown"
        )


def spent(payments: Iterable[Payment]) -> Spent:
    """The sum of what was paid."""
    return total(one_of(payment.model_dump()) for payment in payments)


def one_of(row: dict[str, Any]) -> Spent:
    """What one payment, or one turn's usage, amounts to."""
    requests = int(row.get("requests") or 0)
    money = row.get("money", 0.0 if not requests else None)
    return Spent(
        tokens=int(row.get("tokens") or 0)
        + int(row.get("prompt_tokens") or 0)
        + int(row.get("completion_tokens") or 0),
        requests=requests,
        money=float(money or 0.0),
        unknown=requests if money is None else 0,
        estimated=requests if row.get("estimated") else 0,
        currency=str(row.get("currency") or ""),
    )


def total(parts: Iterable[Spent]) -> Spent:
    """All of them together."""
    found = list(parts)
    return Spent(
        tokens=sum(one.tokens for one in found),
        requests=sum(one.requests for one in found),
        money=sum(one.money for one in found),
        unknown=sum(one.unknown for one in found),
        estimated=sum(one.estimated for one in found),
        currency=next((one.currency for one in found if one.currency), ""),
    )
