"""Hooks: a function called with a site's tensor while the model runs, which may give another tensor in its place.

Knows taps and modules; knows nothing about what is read or written. A hook that did not fire exactly once in a forward
pass is an error: it read nothing, or changed something else than was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from jaxtyping import Bool
from torch import Tensor, nn

from tools.engine.attention import Watch, watched
from tools.targets.adapter import Tap

Touch = Callable[[Tensor], Tensor | None]
"""Gets [row position width] (a pattern: [row head query key]); gives what stands there from then on, or None."""


class HookDidNotFire(RuntimeError):
    """A site was not passed exactly once in a forward pass."""


@dataclass(eq=False)
class _Hook:
    tap: Tap
    touch: Touch
    fired: int = 0

    def __call__(self, tensor: Tensor) -> Tensor | None:
        self.fired += 1
        layout = self.tap.layout
        seen = layout.seen(tensor) if layout else tensor if tensor.ndim > 2 else tensor[:, None]
        replaced = self.touch(seen)
        if replaced is None:
            return None
        return layout.put(tensor, replaced) if layout else replaced.reshape(tensor.shape)

    def register(self) -> Any:
        module, side = self.tap.module, self.tap.side
        if side == "output":
            # before transformers' own hooks, by which it collects the layer outputs that a connector reads
            return module.register_forward_hook(self._after, prepend=True)
        return module.register_forward_pre_hook(self._before, with_kwargs=True)

    def _before(self, _: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        name = self.tap.argument or ("" if given else "hidden_states")
        tensor = named[name] if name else given[0]
        replaced = self(tensor)
        if replaced is None:
            return None
        if self.tap.side == "shared input":
            tensor.copy_(replaced)
            return None
        return (given, named | {name: replaced}) if name else ((replaced, *given[1:]), named)

    def _after(self, _: nn.Module, __: Any, output: Any) -> Any:
        if not isinstance(output, Tensor):
            raise TypeError(f"`{self.tap.site}` gives a {type(output).__name__}, not a tensor")
        return self(output)


@contextmanager
def hooked(
    touches: Sequence[tuple[Tap, Touch]],
    cuts: Sequence[tuple[Tap, Bool[Tensor, "row head query key"]]] = (),
) -> Iterator[None]:
    """Calls every touch whenever its site is passed, and cuts attention edges of the patterns in `cuts`.

    For one forward pass. Of several touches at one place the first in the sequence comes first; patterns take one
    touch and one cut each, and need the tower to be `opened`. Raises HookDidNotFire unless each fired exactly once.
    """
    hooks = [_Hook(tap, touch) for tap, touch in touches if tap.side != "pattern"]
    watches = {tap.module: Watch(tap, cut) for tap, cut in cuts}
    named = dict.fromkeys(watches, "the attention whose edges are cut")
    for tap, touch in touches:
        if tap.side == "pattern":
            watch = watches.setdefault(tap.module, Watch(tap))
            if watch.touch is not None:
                raise ValueError(f"`{tap.site}` is touched twice")
            watch.touch = touch
            named[tap.module] = f"`{tap.site}`"
    with ExitStack() as stack:
        for hook in [hook for hook in hooks if hook.tap.side != "output"]:
            stack.callback(hook.register().remove)
        for hook in [hook for hook in reversed(hooks) if hook.tap.side == "output"]:
            stack.callback(hook.register().remove)
        stack.enter_context(watched(watches))
        yield
    fired = [(f"`{hook.tap.site}`", hook.fired) for hook in hooks]
    fired += [(named[module], watch.fired) for module, watch in watches.items()]
    for name, times in fired:
        if times != 1:
            raise HookDidNotFire(f"{name} was passed {times} times in one forward pass, not once")
