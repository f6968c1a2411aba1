"""What a tool is: a typed function with one argument model and one result model, registered once.

The schema that a language model reads, the table of `show tools`, and the checks at the door all come from this one
definition. Knows nothing about any particular tool.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_type_hints

from pydantic import BaseModel, Field

from store.records import Cost, Model, Quantity, Split

if TYPE_CHECKING:
    from tools.context import ToolContext

SUMMARY = 400
"""Characters of a summary, at most: a planner reads it in place of the result."""


class Arguments(Model):
    """What a tool is asked for. Addresses and concepts are strings; paths never occur."""


class Result(Model):
    """What a tool measured. Tools add typed fields for pages; `artifacts` maps names to content hashes.

    `measured_on` is the split that it was measured on.
    """

    measured_on: ClassVar[Split] = "train"
    summary: str = Field(max_length=SUMMARY)
    quantities: dict[str, Quantity] = Field(default_factory=dict)
    artifacts: dict[str, str] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    cost: Cost = Cost()


A = TypeVar("A", bound=Arguments)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Tool:
    """A registered function. `about` is its docstring's first paragraph, the whole docstring is what planners read."""

    name: str
    arguments: type[Arguments]
    result: type[Result]
    function: Callable[[ToolContext, Any], Result]

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def about(self) -> str:
        return self.doc.split("\n\n")[0].replace("\n", " ")

    @property
    def takes(self) -> list[str]:
        """Names of the arguments; those that may be left out in brackets."""
        return [
            name if field.is_required() else f"[{name}]"
            for name, field in self.arguments.model_fields.items()
        ]

    def schema(self) -> dict[str, Any]:
        """The definition in the form that OpenAI-compatible endpoints read."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.doc,
                "parameters": schema_of(self.arguments),
            },
        }


TOOLS: dict[str, Tool] = {}
"""Every registered tool by name; filled when `tools.methods` is imported."""


def tool(function: Callable[[ToolContext, A], R]) -> Callable[[ToolContext, A], R]:
    """Registers a function `f(context, arguments: SomeArguments) -> SomeResult` under its own name."""
    hints = get_type_hints(function)
    name = getattr(function, "__name__", "")
    TOOLS[name] = Tool(name, hints["arguments"], hints["return"], function)
    return function


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema without the titles that pydantic adds."""

    def plain(part: Any) -> Any:
        if isinstance(part, dict):
            return {
                key: plain(value)
                for key, value in part.items()
                if not (key == "title" and isinstance(value, str))
            }
        return [plain(value) for value in part] if isinstance(part, list) else part

    schema: dict[str, Any] = plain(model.model_json_schema())
    return schema
