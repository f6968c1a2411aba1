"""Vision-language models as concept judges: each phrase is asked for as a yes/no question about each picture.

Fulfils `tools.judging.ConceptJudge` for any target that answers in words. P = P(yes) / (P(yes) + P(no)) at the position
of the answer, so a model that says neither still leans one way; polling as in Li et al. 2023 (POPE), who find that such
models say yes too often. Nothing here is calibrated: measure a judge's error where the truth is known before trusting
it. Each pair of picture and phrase is a row of its own through the whole model, which makes this the dearest of the
judges. Knows nothing about which target is studied; that a model does not judge itself is looked after elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import product

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image

from store.errors import UserError
from tools.scoring.plain import describe
from tools.scoring.tree import Phrase
from tools.targets.adapter import adapter_for
from tools.targets.answer import encode, prompt
from tools.targets.target import Target

TEMPLATE = "Is there {} in the image? Answer the question using a single word or phrase."
"""What LLaVA 1.5 was taught to answer with one word."""
YES, NO = ("yes", "Yes"), ("no", "No")
BATCH = 32
"""Rows that go through the model together."""

Ask = Callable[[str], str]
"""Makes a yes/no question of a phrase; raises UserError of kind "unknown_phrase" for one that can't be asked for."""


def worded(template: str = TEMPLATE) -> Ask:
    """Questions by a template, whose `{}` takes the phrase with its article: "a red star", "something striped"."""
    return lambda phrase: template.format(describe(Phrase(phrase)))


class PollingJudge:
    """A model that is asked. `yes` and `no` are the words that count as its answer, each of one token.

    Raises UserError for a model that gives no words, or that has no token for either answer.
    """

    def __init__(
        self,
        target: Target,
        ask: Ask | None = None,
        *,
        yes: Sequence[str] = YES,
        no: Sequence[str] = NO,
        batch_size: int = BATCH,
    ) -> None:
        if not target.model.can_generate():
            raise UserError(
                f"`{target.name}` gives no words, and can't be asked whether a phrase holds",
                kind="unsupported_family",
                hint="ask a target of the llava family",
            )
        self.target = target
        self.model = target.model
        self.name = target.name
        self.ask = ask or worded()
        self.batch_size = batch_size
        self._answers = [self._tokens(words) for words in (yes, no)]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of weights, wording and answers. Reads every weight once."""
        words = "|".join([self.target.fingerprint, self.ask("thing"), str(self._answers)])
        return hashlib.sha256(words.encode()).hexdigest()

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        """Probability of yes for each phrase before each picture.

        Raises UserError for a phrase that is empty or has words which the model can't read.
        """
        questions = [self._question(phrase) for phrase in phrases]
        rows = list(product(images, questions))
        said = [
            self._yes([question for _, question in part], [image for image, _ in part])
            for part in (rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size))
        ]
        flat = np.concatenate(said) if said else np.zeros(0, dtype=np.float32)
        return flat.reshape(len(images), len(phrases))

    def _question(self, phrase: str) -> str:
        words = " ".join(phrase.split())
        if not words:
            raise UserError(
                "a phrase is empty: ` `", kind="unknown_phrase", hint='say what to look for: "a dog"'
            )
        question, tokenizer = self.ask(words), self.target.processor.tokenizer
        if tokenizer.unk_token_id in tokenizer(question, add_special_tokens=False).input_ids:
            raise UserError(
                f"`{words}` has words that `{self.name}` can't read",
                kind="unknown_phrase",
                hint="say it in the words that the judge was trained on",
            )
        return question

    @torch.inference_mode()
    def _yes(self, questions: Sequence[str], images: Sequence[Image.Image]) -> Float32[np.ndarray, "row"]:
        prompts = [prompt(self.target, question, with_image=True) for question in questions]
        logits = self.model(**encode(self.target, prompts, images)).logits[:, -1].float()
        yes, no = (logits[:, tokens].logsumexp(dim=1) for tokens in self._answers)
        return np.asarray((yes - no).sigmoid().cpu().numpy(), dtype=np.float32)

    def _tokens(self, words: Sequence[str]) -> list[int]:
        adapter = adapter_for(self.target)
        found = [token for word in words if (token := adapter.token(word)) is not None]
        if not found:
            raise UserError(
                f"`{self.name}` has no one token for `{words[0]}`",
                kind="judge",
                hint="name the words with which it says yes and no",
            )
        return found
