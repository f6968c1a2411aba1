"""A batch: stimuli as tensors, and which positions of each row are visual, question, answer or padding.

Knows positions; knows nothing about models. Rows may differ in length: language rows of the LLaVA family are padded on
the left, so positions that are named by number count from a row's first real token, whatever stands before it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from store.errors import UserError

Space = Literal["language", "vision", "patches", "answer"]
"""Whose positions: the language side's tokens; the vision tower's (class token, then patches); the patches alone (the
connector); or the one position where the answer is predicted."""
Positions = Literal["all", "visual", "question", "answer"] | tuple[int, ...]
"""Numbers count from a row's first real token, negative ones from its end; in `vision`, 0 is the class token where
there is one."""

CLASSES = ("other", "visual", "question", "answer")
"""What a position can be."""
SCOPES: dict[Space, tuple[Literal["visual", "question", "answer"] | None, ...]] = {
    "language": ("visual", "question", "answer"),
    "vision": ("visual",),
    "patches": ("visual",),
    "answer": (None, None, "answer"),
}
"""The classes after `other` that a space has."""


@dataclass(frozen=True, eq=False)
class Batch:
    """`inputs` are the model's own. `visual`, `question` and `answer` (the position that predicts the answer) are
    disjoint; `real` is what is not padding. `patches` counts the visual tokens.

    In the vision tower `lead` positions (a class token) stand before the patches, of which `merged` make one visual
    token. Where the answer is `apart`, the language positions hold the question alone, and it is predicted elsewhere.
    """

    inputs: dict[str, Tensor]
    visual: Bool[Tensor, "row position"]
    question: Bool[Tensor, "row position"]
    real: Bool[Tensor, "row position"]
    answer: Int[Tensor, "row"]
    patches: int
    lead: int = 1
    merged: int = 1
    apart: bool = False

    def __len__(self) -> int:
        return len(self.visual)

    @property
    def first(self) -> Int[Tensor, "row"]:
        """The first position of each row that is not padding."""
        return self.real.int().argmax(1) if self.real.shape[1] else self.answer

    @property
    def shape(self) -> Hashable:
        """What batches must have in common to be joined."""
        sizes = tuple((name, tuple(tensor.shape[1:])) for name, tensor in sorted(self.inputs.items()))
        return sizes, self.visual.shape[1], self.patches, self.lead, self.merged, self.apart

    def rows(self, chosen: Sequence[int]) -> Batch:
        """The rows of these numbers, in this order; one may come more than once."""
        index = torch.tensor(list(chosen), dtype=torch.long, device=self.visual.device)
        return replace(
            self,
            inputs={name: tensor[index] for name, tensor in self.inputs.items()},
            visual=self.visual[index],
            question=self.question[index],
            real=self.real[index],
            answer=self.answer[index],
        )

    def without_pictures(self) -> Batch:
        """The same, of its inputs only those of one number a position: of many rows, pictures would fill memory."""
        small = {name: tensor for name, tensor in self.inputs.items() if tensor.shape == self.visual.shape}
        return replace(self, inputs=small)

    @staticmethod
    def joined(parts: Sequence[Batch]) -> Batch:
        """Batches of one shape below one another."""
        first = parts[0]
        if len(parts) == 1:
            return first
        return replace(
            first,
            inputs={name: torch.cat([part.inputs[name] for part in parts]) for name in first.inputs},
            visual=torch.cat([part.visual for part in parts]),
            question=torch.cat([part.question for part in parts]),
            real=torch.cat([part.real for part in parts]),
            answer=torch.cat([part.answer for part in parts]),
        )

    def width(self, space: Space) -> int:
        """How many positions a row has, padding included."""
        return {
            "language": self.visual.shape[1],
            "vision": self.lead + self.patches * self.merged,
            "patches": self.patches,
            "answer": 1,
        }[space]

    def where(self, space: Space, positions: Positions) -> Bool[Tensor, "row position"]:
        """The positions of each row that are meant, never padding.

        Raises UserError of kind "positions" for a number past a row's end, or a scope that the space does not have.
        """
        if isinstance(positions, tuple):
            return self._numbered(space, positions)
        everywhere = torch.ones(len(self), self.width(space), dtype=torch.bool, device=self.visual.device)
        match space, positions:
            case "language", "all":
                return self.real
            case "language", "visual":
                return self.visual
            case "language", "question":
                return self.question
            case "language", _:
                chosen = torch.zeros_like(self.real)
                chosen[torch.arange(len(self), device=chosen.device), self.answer] = not self.apart
                return chosen & self.real
            case ("vision" | "patches", "all") | ("patches", "visual") | ("answer", "all" | "answer"):
                return everywhere
            case "vision", "visual":
                everywhere[:, : self.lead] = False
                return everywhere
        raise UserError(
            f"there are no `{positions}` positions in {_called(space)}",
            kind="positions",
            hint="say `all`" if space == "answer" else "say `all` or `visual`",
        )

    def classes(self, space: Space) -> Int[Tensor, "row position"]:
        """Index into CLASSES of each position, −1 for padding."""
        found = torch.full((len(self), self.width(space)), -1, device=self.visual.device)
        found[self.where(space, "all")] = 0
        for number, scope in enumerate(SCOPES[space], start=1):
            if scope:
                found[self.where(space, scope)] = number
        return found

    def _numbered(self, space: Space, positions: tuple[int, ...]) -> Bool[Tensor, "row position"]:
        width = self.width(space)
        real = self.real if space == "language" else self.where(space, "all")
        first = self.first if space == "language" else torch.zeros_like(self.answer)
        chosen = torch.zeros_like(real)
        lengths = real.sum(1)
        for position in positions:
            if (shortest := int(lengths.min())) <= max(position, -position - 1):
                raise UserError(
                    f"position {position} is past the end of a row of {shortest} positions in {_called(space)}",
                    kind="positions",
                    hint=f"stay between {-shortest} and {shortest - 1}",
                )
            at = first + (position if position >= 0 else lengths + position)
            chosen |= torch.arange(width, device=at.device) == at[:, None]
        return chosen


def _called(space: Space) -> str:
    return {
        "language": "the language side",
        "vision": "the vision tower",
        "patches": "the connector",
        "answer": "the logits",
    }[space]
