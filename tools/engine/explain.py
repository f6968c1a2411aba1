"""What a plan will do, in words and in floating-point operations, before anything runs.

Counts matrix products only (a few per cent of the time of a large model go elsewhere, most of a tiny one's), padding
included. Knows courses; knows nothing about how they are chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tools.engine.course import Block, Course
from tools.engine.untouched import Stretch, blocks, padded
from tools.targets.adapter import Adapter
from tools.targets.batch import Batch
from tools.targets.sites import Site


@dataclass(frozen=True, slots=True)
class Explanation:
    """`rows` counts the plan's rows by where they start (None: from the inputs), `sources` the untouched rows that
    swaps take from. `made` are the stretches of the untouched runs of all `stimuli` that are missing, `reused` the
    entrances whose streams are there. `flops` counts all of it, `from_inputs` what it would take if every row ran from
    its inputs.
    """

    stimuli: int
    rows: dict[Site | None, int]
    sources: int
    made: tuple[Stretch, ...]
    reused: tuple[Site, ...]
    flops: int
    from_inputs: int

    def __str__(self) -> str:
        told = [f"{count} {_rows(count)} from {_name(start)}" for start, count in self.rows.items()]
        if self.sources:
            told.append(f"{self.sources} untouched {_rows(self.sources)} for swaps")
        told += [
            f"{self.stimuli} untouched {_rows(self.stimuli)} from {_name(start)} to {_name(stop)}"
            for start, stop in self.made
        ]
        if self.reused:
            told.append(f"reused: streams at {', '.join(map(_name, self.reused))}")
        share = self.flops / self.from_inputs
        told.append(f"{self.flops:.2e} FLOPs, {share:.0%} of {self.from_inputs:.2e} from the inputs")
        return "; ".join(told)


def explanation(
    adapter: Adapter,
    inputs: Batch,
    batch: Batch,
    course: Course,
    stretches: Sequence[Stretch],
    rows_at_once: int,
) -> Explanation:
    """Of a course over a batch of stimuli (`inputs` before their pictures were encoded), some stretches of whose
    untouched runs are missing."""
    each = sum(len(padded(numbers)) for numbers in blocks(len(batch), rows_at_once))
    flops = each * sum(adapter.flops(batch, start, stop) for start, stop in stretches)
    ran = 0
    for group, stop in ((course.sources, course.sources_stop), (course.rows, None)):
        flops += sum(_ran(block) * adapter.flops(batch, block.start, stop) for block in group)
        ran += sum(map(_ran, group))
    starts = Counter(block.start for block in course.rows for _ in block.rows)
    made = {stop for _, stop in stretches}
    used = course.starts | {start for start, _ in stretches if start}
    return Explanation(
        stimuli=len(batch),
        rows={start: starts[start] for start in (None, *course.line) if start in starts},
        sources=sum(len(block.rows) for block in course.sources),
        made=tuple(stretches),
        reused=tuple(entrance for entrance in course.line if entrance in used - made),
        flops=flops,
        from_inputs=ran * adapter.flops(inputs),
    )


def _ran(block: Block) -> int:
    return len(padded(block.rows))


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _name(entrance: Site | None) -> str:
    return "the inputs" if entrance is None else f"`{entrance}`"
