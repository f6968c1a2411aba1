"""`generate` and `edit`: pictures to order, measured at once.

Knows the editor's interface. Pictures descend from the planner's split or from nothing; sealed ones are refused where
they are named (showing.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from store.errors import PlannerError
from store.records import Quantity, Reading
from tools.context import ToolContext
from tools.editing.tally import caveat
from tools.methods.showing import Component, Named, Shown, chosen, keep, keep_made, keep_overlays
from tools.methods.values import known, unit, values
from tools.stimuli import Stimulus
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from tools.stimuli import ImageEditor


class GenerateArguments(Arguments):
    prompt: Annotated[str, Field(min_length=1, max_length=200, description="What the picture is to show.")]
    component: Component
    reading: Reading = Reading()


class EditArguments(Arguments):
    image: Named
    instruction: Annotated[
        str, Field(min_length=1, max_length=200, description="Such as `make the star blue`.")
    ]
    component: Component
    reading: Reading = Reading()


class Made(Result):
    """`picture` is the new one, `before` the one that was edited; both can be named by key from now on."""

    component: str
    reading: Reading
    picture: Shown
    before: Shown | None = None


@tool
def generate(context: ToolContext, arguments: GenerateArguments) -> Made:
    """Makes one picture of what a prompt says, and measures a component on it.

    Gives the activation in sd above the component's mean. One picture shows what can happen, not what usually does.
    """
    address = context.address(arguments.component)
    stimulus = editor_of(context).generate(
        arguments.prompt, context.derived_seed("generate", arguments.prompt)
    )
    return _measured(
        context, str(address), arguments.reading, stimulus, None, f"generated `{arguments.prompt}`"
    )


@tool
def edit(context: ToolContext, arguments: EditArguments) -> Made:
    """Changes one picture by an instruction, and measures a component before and after.

    Gives `change`, the difference in sd of the component. For an effect over many pictures use `make_pairs`.
    """
    address = context.address(arguments.component)
    (before,) = chosen(context, [arguments.image])
    seed = context.derived_seed("edit", before.key, arguments.instruction)
    after = editor_of(context).edit(before, arguments.instruction, seed)
    return _measured(context, str(address), arguments.reading, after, before, f"`{arguments.instruction}`")


def editor_of(context: ToolContext) -> ImageEditor:
    """The editor. Raises PlannerError where there is none."""
    if context.editor is None:
        raise PlannerError(
            "there is no editor for these pictures",
            kind="no_editor",
            hint="compare pictures with `activations`, or use `make_pairs`, which finds pairs that differ little",
        )
    return context.editor


def _measured(
    context: ToolContext, component: str, reading: Reading, after: Stimulus, before: Stimulus | None, how: str
) -> Made:
    address = context.address(component)
    pool = known(context, address, reading)
    stimuli = [after] if before is None else [after, before]
    measured = values(context, [address], reading, stimuli)[:, 0]
    overlays = keep_overlays(context, address, reading, stimuli)
    kept = [keep_made(context, after, "made"), *(keep(context, one.image) for one in stimuli[1:])]
    shown = [
        Shown(key=one.key, value=float(value), image=image, overlay=laid)
        for one, value, image, laid in zip(stimuli, measured, kept, overlays, strict=True)
    ]
    height = float((measured[0] - pool.mean) / unit(pool))
    quantities = {"height": Quantity(value=height, unit="sd above the mean", n=1)}
    told = f"{component}, {reading}, {how[:120]}: `{after.key[:100]}` at {measured[0]:.3g} ({height:+.2f} sd)"
    warnings = caveat(context.editor, after)
    if before is not None:
        change = float((measured[0] - measured[1]) / unit(pool))
        quantities["change"] = Quantity(value=change, unit="sd", n=1)
        told += f", {change:+.2f} sd from before"
    return Made(
        component=component,
        reading=reading,
        picture=shown[0],
        before=shown[1] if before is not None else None,
        quantities=quantities,
        artifacts={"picture": kept[0]},
        warnings=warnings,
        summary=f"{'; '.join((told, *warnings))}.",
    )
