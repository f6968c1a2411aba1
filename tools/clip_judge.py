"""Contrastive models as concept judges: how likely a phrase holds in a picture, without training (zero-shot).

Fulfils `tools.judging.ConceptJudge` for any CLIP or SigLIP in Hugging Face form, and gives image embeddings. CLIP
(Radford et al. 2021) compares texts with each other, so a phrase is weighed against prompts that say nothing:
P = sigmoid(s(phrase) − log mean exp s(neutral)), s being the scaled cosine that the model was trained with. SigLIP
(Zhai et al. 2023) was trained to say yes or no, so P = sigmoid(s + bias). Neither is calibrated: measure a judge's
error where the truth is known before trusting it. The order of words and negation mean little to such models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32
from PIL import Image
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoProcessor, PreTrainedModel

from store.errors import UserError
from tools.judging import ConceptJudge
from tools.targets.fingerprint import fingerprint
from tools.targets.load import choose_device

FAMILIES = ("clip", "siglip")
TEMPLATES = ("a photo of {}", "a picture that shows {}", "{}")
"""Wordings whose embeddings are averaged for each phrase (prompt ensembling)."""
NEUTRAL = ("a photo", "a picture", "an image of something", "a photo of something else", "something")
"""What CLIP weighs a phrase against."""
BATCH = 32
"""Pictures, or texts, that are embedded together."""


class ClipJudge:
    """A CLIP or SigLIP that judges phrases. `templates` hold one `{}` each, in the words that the model was taught."""

    def __init__(
        self,
        model: PreTrainedModel,
        processor: Any,
        *,
        name: str = "",
        templates: Sequence[str] = TEMPLATES,
        neutral: Sequence[str] = NEUTRAL,
    ) -> None:
        self.family = str(model.config.model_type)
        if self.family not in FAMILIES:
            raise UserError(
                f"`{self.family}` models can't judge phrases",
                kind="unsupported_family",
                hint=f"give a model of {' or '.join(FAMILIES)}",
            )
        self.model: Any = model.eval()
        self.processor = processor
        self.name = name or self.family
        self.templates = tuple(templates)
        self.neutral = tuple(neutral)
        self._texts: dict[str, Float[Tensor, "width"]] = {}

    @classmethod
    def load(cls, source: str | Path, *, device: str = "auto", **more: Any) -> ClipJudge:
        """The judge in a folder that `save_pretrained` wrote, or of a hub id. Raises UserError when there is none."""
        place = choose_device(device)
        try:
            config = AutoConfig.from_pretrained(str(source))
            if config.model_type not in FAMILIES:
                raise UserError(
                    f"`{source}` is a `{config.model_type}` model, which can't judge phrases",
                    kind="unsupported_family",
                    hint=f"give a model of {' or '.join(FAMILIES)}",
                )
            processor = AutoProcessor.from_pretrained(str(source))
            model: Any = AutoModel.from_pretrained(str(source), config=config, dtype=torch.float32)
        except (OSError, ValueError) as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UserError(
                f"`{source}` can't be loaded as a judge: {first}",
                kind="unloadable",
                hint="give a folder with a CLIP or SigLIP model, or a hub id that can be reached",
            ) from error
        return cls(model.to(place), processor, **({"name": str(source)} | more))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of weights and wordings. Reads every weight once."""
        words = "|".join([fingerprint(self.model), *self.templates, "", *self.neutral])
        return hashlib.sha256(words.encode()).hexdigest()

    @torch.no_grad()
    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        """Probability that each phrase holds in each picture. Raises UserError for an empty phrase."""
        if not images or not phrases:
            return np.zeros((len(images), len(phrases)), dtype=np.float32)
        seen, told = self._seen(images), torch.stack([self._phrase(phrase) for phrase in phrases])
        scale = self.model.logit_scale.exp()
        logits = scale * seen @ told.T
        if self.family == "siglip":
            logits = logits + self.model.logit_bias
        else:
            silence = torch.stack([self._text(text) for text in self.neutral])
            logits = logits - (scale * seen @ silence.T).logsumexp(1, keepdim=True) + np.log(len(silence))
        return np.asarray(logits.sigmoid().float().cpu().numpy(), dtype=np.float32)

    @torch.no_grad()
    def embed(self, images: Sequence[Image.Image], /) -> Float32[np.ndarray, "image width"]:
        """Unit vectors whose dot products are the pictures' similarities."""
        if not images:
            return np.zeros((0, int(self.model.config.projection_dim)), dtype=np.float32)
        return np.asarray(self._seen(images).float().cpu().numpy(), dtype=np.float32)

    def _seen(self, images: Sequence[Image.Image]) -> Float[Tensor, "image width"]:
        parts = []
        for start in range(0, len(images), BATCH):
            batch = list(images[start : start + BATCH])
            inputs = self.processor(images=batch, return_tensors="pt").to(self.model.device)
            parts.append(self.model.get_image_features(**inputs).pooler_output)
        return F.normalize(torch.cat(parts), dim=-1)

    def _phrase(self, phrase: str) -> Float[Tensor, "width"]:
        """The phrase in all wordings, averaged."""
        words = " ".join(phrase.split())
        if not words:
            raise UserError(
                "a phrase is empty: ` `", kind="unknown_phrase", hint='say what to look for: "a dog"'
            )
        return F.normalize(
            torch.stack([self._text(text.format(words)) for text in self.templates]).mean(0), dim=-1
        )

    def _text(self, text: str) -> Float[Tensor, "width"]:
        """The embedding of one text, kept: matrices ask for the same phrases again and again."""
        if text not in self._texts:
            padding = "max_length" if self.family == "siglip" else True  # as each of them was trained
            inputs = self.processor(text=[text], padding=padding, truncation=True, return_tensors="pt")
            features = self.model.get_text_features(**inputs.to(self.model.device)).pooler_output
            self._texts[text] = F.normalize(features, dim=-1)[0]
        return self._texts[text]


class NamedJudge(ConceptJudge, Protocol):
    """A judge whose name stands beside what it says."""

    name: str


class ClipDescriber:
    """Puts pictures into words by asking a judge for every phrase of a list. Fulfils `tools.stimuli.Describer`."""

    def __init__(
        self, judge: NamedJudge, phrases: Sequence[str], *, sure: float = 0.5, most: int = 12
    ) -> None:
        """`sure` is the probability from which on a phrase is said, `most` how many of the likeliest are said."""
        self.judge = judge
        self.phrases = tuple(phrases)
        self.sure = sure
        self.most = most
        self.name = judge.name

    def describe(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        """The phrases that hold in each picture or crop, likeliest last."""
        told = []
        for row in self.judge.present(images, self.phrases):
            likely = sorted(np.flatnonzero(row > self.sure), key=lambda column: row[column])[-self.most :]
            told.append(tuple(self.phrases[column] for column in likely))
        return told

    def placed(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        """Nothing: what it sees has no place."""
        return [() for _ in images]

    def vocabulary(self) -> tuple[str, ...]:
        return self.phrases
