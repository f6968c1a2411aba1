"""Prompts: every word that is sent to a language model, as files; this is their loader and the only code here.

A file opens with a header between two lines of `---`: name, version, purpose, and the variables that it takes. A
template is rendered with exactly those; what is missing or unknown is an error, never an empty place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

WORDS = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
WORDS.filters["quoted"] = lambda told: json.dumps(str(told), ensure_ascii=False)
"""Words of strangers, which are data: between quotation marks that nothing in them ends."""


@dataclass(frozen=True)
class Prompt:
    """One file. `version` grows whenever its words change."""

    name: str
    version: int
    purpose: str
    variables: tuple[str, ...]
    body: str

    def render(self, **variables: object) -> str:
        """The text. Raises TypeError unless the variables are those of the header."""
        if sorted(variables) != sorted(self.variables):
            raise TypeError(f"`{self.name}` takes {sorted(self.variables)}, not {sorted(variables)}")
        return WORDS.from_string(self.body).render(**variables).strip()


@cache
def load(name: str) -> Prompt:
    """The prompt in `<name>.md`. Raises LookupError when there is none, ValueError for a header that is not one."""
    path = files("prompts") / f"{name}.md"
    if not path.is_file():
        raise LookupError(f"there is no prompt `{name}`; there are {', '.join(names())}")
    empty, header, body = path.read_text(encoding="utf-8").split("---\n", 2)
    lines = [line.partition(":") for line in header.strip().splitlines()]
    told = {key.strip(): value.strip() for key, _, value in lines}
    if empty or set(told) != {"name", "version", "purpose", "variables"} or told["name"] != name:
        raise ValueError(f"`prompts/{name}.md` needs a header with its name, version, purpose and variables")
    variables = tuple(filter(None, (variable.strip() for variable in told["variables"].split(","))))
    return Prompt(name, int(told["version"]), told["purpose"], variables, body)


def names() -> tuple[str, ...]:
    """Every prompt there is."""
    return tuple(
        sorted(
            file.name.removesuffix(".md") for file in files("prompts").iterdir() if file.name.endswith(".md")
        )
    )
