"""Tools as a program may call them: their types, written from their one definition.

Knows JSON schemas and Python's words for types; knows no tool by name. The interpreter's type checker reads what is
written here before a program runs, and `bound` puts what it then calls into the door's words.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.programs.given import mean, median, ranked, std
from store.errors import PlannerError
from tools.tool import Tool, schema_of

OPENING = """\
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

class Quantity(TypedDict):
    value: float
    unit: str
    n: Any
    ci: Any
    control: Any
    control_ci: Any

class Result(TypedDict):
    experiment: int
    summary: str
    quantities: dict[str, Quantity]
    warnings: list[str]
    pictures: list[str]
"""
GIVEN = (mean, std, median, ranked)
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def stubs(tools: Sequence[Tool]) -> str:
    """Declarations of every tool, and of what tools return."""
    kinds: dict[str, Mapping[str, Any]] = {}
    functions = []
    for tool in tools:
        schema = schema_of(tool.arguments)
        kinds |= schema.get("$defs", {})
        functions.append(f"def {tool.name}({_arguments(schema)}) -> Result: ...\n")
    return "\n".join(
        [
            OPENING,
            *(_given(one) for one in GIVEN),
            *(_shape(name, kind) for name, kind in kinds.items()),
            *functions,
        ]
    )


def bound(tool: Tool, args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name. Raises PlannerError for more of them than there are, or one given twice."""
    order = _order(schema_of(tool.arguments))
    if len(args) > len(order):
        takes = ", ".join(order)
        raise PlannerError(
            f"`{tool.name}` was not run: it takes {len(order)} arguments at most ({takes})", kind="arguments"
        )
    placed = dict(zip(order, args, strict=False))
    if twice := sorted(placed.keys() & named.keys()):
        raise PlannerError(f"`{tool.name}` was not run: `{twice[0]}` is given twice", kind="arguments")
    return placed | dict(named)


def _given(function: Callable[..., Any]) -> str:
    return f"def {function.__name__}{inspect.signature(function)}: ...\n"


def _order(schema: Mapping[str, Any]) -> list[str]:
    """Names of arguments, those that must be given first."""
    needed = schema.get("required", [])
    return sorted(schema.get("properties", {}), key=lambda name: name not in needed)


def _arguments(schema: Mapping[str, Any]) -> str:
    needed, properties = schema.get("required", []), schema.get("properties", {})
    return ", ".join(
        f"{name}: {_type(properties[name])}{'' if name in needed else ' = ...'}" for name in _order(schema)
    )


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    """An argument with fields of its own."""
    needed = schema.get("required", [])
    if "properties" not in schema:
        return f"{name} = {_type(schema)}\n"
    fields = (
        f"    {field}: {_type(part) if field in needed else f'NotRequired[{_type(part)}]'}\n"
        for field, part in schema["properties"].items()
    )
    return f"class {name}(TypedDict):\n{''.join(fields)}"


def _type(schema: Mapping[str, Any]) -> str:
    """Python's word for what a schema allows; `Any` where it has none."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(part) for part in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"Sequence[{_type(schema.get('items', {}))}]"
    if schema.get("type") == "object":
        return "dict[str, Any]"
    return _PLAIN.get(str(schema.get("type")), "Any")
