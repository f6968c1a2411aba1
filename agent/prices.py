"""What tokens and pictures cost: a price file that comes with the checkout, and one of the user's own.

Knows names of models and prices for a million tokens, or for a picture. A price that nobody wrote down is unknown,
never zero. Knows nothing about budgets (tools/budget.py).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from store.errors import UserError
from store.records import Model

SHIPPED = Path(__file__).resolve().parent / "prices.toml"
MILLION = 1_000_000
_DATED = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{4,8})")
"""How a name goes on that means one day's edition of a model."""

Amount = Annotated[float, Field(ge=0)]


class Price(Model):
    """For a million tokens; `cached` of input that was read before, where that is cheaper. Or for one `picture`, where
    a model charges by these, all tokens included."""

    input: Amount | None = None
    output: Amount | None = None
    cached: Amount | None = None
    picture: Amount | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        tokens = (self.input is not None) + (self.output is not None)
        if tokens == 1 or (tokens == 0 and self.picture is None):
            raise PydanticCustomError("price", "give `input` and `output`, or `picture`")
        return self


class PriceFile(Model):
    """What a price file may hold; `as_of` is when its prices were listed, `source` where."""

    as_of: str = ""
    source: str = ""
    currency: str = "USD"
    models: dict[str, Price] = Field(default_factory=dict)


@dataclass(frozen=True)
class Prices:
    """Prices by model, all in one currency."""

    models: Mapping[str, Price] = field(default_factory=dict)
    currency: str = "USD"

    def of(self, *names: str) -> Price | None:
        """The price under the first name that is known, be it as one day's edition (`gpt-4o-2024-08-06`)."""
        for name in names:
            if name in self.models:
                return self.models[name]
            for known, price in self.models.items():
                if name.startswith(known) and _DATED.fullmatch(name[len(known) :]):
                    return price
        return None

    def money(self, names: tuple[str, ...], prompt: int, completion: int, cached: int = 0) -> float | None:
        """What so many tokens cost; None where nobody says. `cached` of the prompt's tokens were read before."""
        price = self.of(*names)
        if price is None or price.input is None or price.output is None:
            return None
        again = price.input if price.cached is None else price.cached
        cached = min(cached, prompt)
        return ((prompt - cached) * price.input + cached * again + completion * price.output) / MILLION

    def of_picture(self, *names: str) -> float | None:
        """What one picture costs, all tokens included; None where nobody says, or tokens are charged."""
        price = self.of(*names)
        return price.picture if price is not None else None


def read_prices(own: str | Path = "") -> Prices:
    """The prices that come with the checkout, below those in the user's `own` file.

    Raises UserError for a file that can't be read, and for one in another currency than it adds to.
    """
    shipped = _read(SHIPPED)
    if not own:
        return Prices(shipped.models, shipped.currency)
    told = _read(Path(own).expanduser())
    same = told.currency == shipped.currency
    return Prices({**(shipped.models if same else {}), **told.models}, told.currency)


def _read(path: Path) -> PriceFile:
    try:
        return PriceFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise UserError(
            f"`{path}` is no price file: `{where}`: {problem['msg'][:1].lower()}{problem['msg'][1:]}",
            kind="prices",
            hint=f'write it like `{SHIPPED.name}`: `[models."NAME"]` with `input` and `output` for a million tokens, '
            "or `picture`",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(
            f"the price file `{path}` can't be read ({error})",
            kind="prices",
            hint="mend it, or leave `--prices` out",
        ) from None
