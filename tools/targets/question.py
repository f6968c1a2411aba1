"""Which tokens of a prompt are the question: those whose characters overlap its words.

Knows chat templates only as text around the question, and a processor's habit of repeating the picture's placeholder
once a visual token. A tokenizer may join the question's first or last letters with what stands beside them: such a
token counts.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor

from tools.targets.answer import prompt
from tools.targets.target import Target

MARK = "\ue000"
"""A character of no language: where it comes out of the template, a question would."""


def question_tokens(target: Target, question: str, ids: tuple[int, ...]) -> Bool[Tensor, "token"]:
    """For the prompt of a question about one picture; `ids` are its tokens, picture included, padding left out.

    Raises RuntimeError when the prompt does not give these tokens, or does not hold the question as it is.
    """
    tokenizer, placeholder = target.processor.tokenizer, target.processor.image_token
    repeated = placeholder * ids.count(target.model.config.image_token_id)
    text = prompt(target, question, with_image=True).replace(placeholder, repeated, 1)
    before = prompt(target, MARK, with_image=True).replace(placeholder, repeated, 1).partition(MARK)[0]
    begin = len(text) - len(text[len(before) :].lstrip())
    end = begin + len(question.strip())
    start = tokenizer.bos_token
    found = tokenizer(
        text, add_special_tokens=start is None or not text.startswith(start), return_offsets_mapping=True
    )
    if text[begin:end] != question.strip() or tuple(found.input_ids) != ids:
        raise RuntimeError(f"the tokens of `{question}` can't be found in the prompt of `{target.name}`")
    overlaps = [first < end and last > max(begin, first) for first, last in found.offset_mapping]
    return torch.tensor(overlaps)
