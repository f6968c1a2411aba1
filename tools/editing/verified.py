"""The editor that planners get when a model edits: whatever it gives back has been proved.

Fulfils `tools.stimuli.ImageEditor` over any world that can say what an edit means (`Intents`) and any model that edits.
What was not proved within all tries is refused, as a picture that does not allow a change is. Knows how often that
happened (`tally`), which travels with every result that uses its pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from store.errors import UserError
from tools.editing.attempts import Attempts, Tried
from tools.editing.intent import Intents, Planned
from tools.editing.tally import Tally
from tools.stimuli import Change, Inquirer, Pair, Reworder, Stimulus

REDRAWN = "redrawn"
"""What the key of a picture that a model made says behind that of the picture that was meant."""


_ESCAPED = str.maketrans({mark: f"%{ord(mark):02X}" for mark in "%|?#"})
"""Marks that divide a key, and how an editor's name is written in it."""


class VerifiedEditor:
    """Edits by a model, each one proved, or, where nobody can say what it brings about, checked elsewhere.

    Pictures are called by the key of what was meant, the model and the seed.
    """

    def __init__(self, intents: Intents, attempts: Attempts) -> None:
        self.intents = intents
        self.attempts = attempts
        self.name = attempts.model.name
        self._known: dict[str, str] = {}

    @property
    def tally(self) -> Tally:
        return replace(self.attempts.tally)

    def pair(self, stimulus: Stimulus, concept: str, change: Change, seed: int, /) -> Pair | None:
        """The stimulus beside one in which the concept stops or starts to hold; None where the picture does not allow
        it or no try was proved.

        Raises UserError for a concept that is not understood.
        """
        return self.pairs([stimulus], concept, change, [seed])[0]

    def pairs(
        self, stimuli: Sequence[Stimulus], concept: str, change: Change, seeds: Sequence[int], /
    ) -> list[Pair | None]:
        """The same for many pictures, which the model edits together."""
        plans = [
            self.intents.pair(stimulus, concept, change, seed)
            for stimulus, seed in zip(stimuli, seeds, strict=True)
        ]
        worded = [(plan, seed) for plan, seed in zip(plans, seeds, strict=True) if plan is not None]
        tried = iter(
            self.attempts.edit(
                [plan.before.image for plan, _ in worded],
                [plan.intent for plan, _ in worded],
                [seed for _, seed in worded],
            )
        )
        return [
            None if plan is None else self._paired(plan, change, self._made(plan, seed, next(tried)))
            for plan, seed in zip(plans, seeds, strict=True)
        ]

    def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Stimulus:
        """The stimulus after an instruction. Raises UserError where it can't be carried out or no try was accepted.

        Where the intent does not say what comes about, `known_of` tells that the change itself was not checked.
        """
        planned = self.intents.edit(stimulus, instruction, seed)
        tried = self._edited(planned, seed)
        return self._made(planned, seed, tried) or self._refuse(instruction, tried)

    def generate(self, prompt: str, seed: int, /) -> Stimulus:
        """A picture of what the prompt says. Raises UserError where it is not understood or no try was proved."""
        planned = self.intents.generate(prompt, seed)
        (tried,) = self.attempts.generate([planned.before.image], [planned.intent], [seed])
        return self._made(planned, seed, tried) or self._refuse(prompt, tried)

    def known_of(self, stimulus: Stimulus, /) -> str:
        """Whether a picture was proved, or what was not checked of it; "" for one that is not of its making."""
        return self._known.get(stimulus.key, "")

    def telling(self, pair: Pair, seed: int, /) -> Pair:
        """The pair with a question whose right answers differ between its sides.

        Raises UserError for a pair that is not of its making, or in a world that knows no answers.
        """
        if not isinstance(self.intents, Inquirer):
            raise UserError(
                "nobody knows what to ask of these `pictures`",
                kind="question",
                hint="questions with known answers come with the pictures, or not at all",
            )
        told = self.intents.telling(pair, seed)
        return replace(
            told,
            without=replace(told.without, image=pair.without.image),
            with_=replace(told.with_, image=pair.with_.image),
        )

    def reworded(self, stimulus: Stimulus, tokens: Callable[[str], int], seed: int, /) -> Stimulus | None:
        """The stimulus with one word of its question replaced; None where no such word, or no answer, is known."""
        return self.intents.reworded(stimulus, tokens, seed) if isinstance(self.intents, Reworder) else None

    def _edited(self, planned: Planned, seed: int) -> Tried:
        return self.attempts.edit([planned.before.image], [planned.intent], [seed])[0]

    def _paired(self, planned: Planned, change: Change, after: Stimulus | None) -> Pair | None:
        if after is None:
            return None
        without, with_ = (planned.before, after) if change == "add" else (after, planned.before)
        told = f"{planned.told}, by {self.name}"
        return Pair(planned.concept, without, with_, told, planned.intent.region)

    def _made(self, planned: Planned, seed: int, tried: Tried) -> Stimulus | None:
        if tried.picture is None:
            return None
        words = " ".join(self.name.translate(_ESCAPED).split())
        key = f"{planned.after.key}|{REDRAWN} {words} #{seed}"
        self._known[key] = tried.told
        return replace(planned.after, key=key, image=tried.picture)

    def _refuse(self, words: str, tried: Tried) -> Stimulus:
        reasons = "; ".join(dict.fromkeys(reason for one in tried.attempts for reason in one.reasons))
        raise UserError(
            f"`{words}` was tried {len(tried.attempts)} times by {self.name}, and no picture was accepted: {reasons}",
            kind="unproved",
            hint="ask for a simpler change, or of another picture",
        )
