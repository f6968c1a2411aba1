"""Whether a model's weights are those that they were: a number that goes up when they are not.

Looks at each tensor: whether it is the same object with the same memory, and how often it was written in place. What is
written through `.data`, without a trace, is not seen. Knows tensors; knows nothing about what hangs on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from weakref import ref

from torch import Tensor, nn


class _Seen(NamedTuple):
    """A tensor as it was. It is held weakly: the id of one that is gone may be given to another."""

    tensor: ref[Tensor]
    memory: int
    version: int

    def still(self, tensor: Tensor) -> bool:
        return self.tensor() is tensor and (self.memory, self.version) == _as_it_is(tensor)


class Weights:
    """Parameters and buffers of one model, as they were when `state` was last asked for."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._seen: list[_Seen] = []
        self._state = 0

    def state(self) -> int:
        """Equal for two calls between which nothing has changed; a state that has passed never comes back."""
        now = [*self._model.parameters(), *self._model.buffers()]
        if len(now) != len(self._seen) or not all(map(_Seen.still, self._seen, now)):
            self._seen = list(_looked_at(now))
            self._state += 1
        return self._state


def _looked_at(tensors: Iterable[Tensor]) -> Iterable[_Seen]:
    for tensor in tensors:
        yield _Seen(ref(tensor), *_as_it_is(tensor))


def _as_it_is(tensor: Tensor) -> tuple[int, int]:
    """Where its numbers lie, and how often they were written."""
    return tensor.data_ptr(), tensor._version
