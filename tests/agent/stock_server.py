"""A stock server on loopback, `transformers serve`, and language models so small that they are made on the spot.

One babbles: its weights are random, so it calls no tool. One is a parrot: each token is followed by the next of a
sentence that was built into its weights, so what the server reads as a tool call is a tool call that a model made.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import Fuse
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SPECIAL = ("<pad>", "<unk>", "<end>", "<turn>", "<reply>")
LETTERS = tuple(map(chr, range(32, 127)))
TEMPLATE = (
    "{% if tools %}{{ tools | tojson }}{% endif %}"
    "{% for one in messages %}<turn>{{ one['role'] }}: {{ one['content'] }}"
    "{% if one['tool_calls'] %}{{ one['tool_calls'] | tojson }}{% endif %}{% endfor %}<reply>"
)
CALLS: dict[str, Any] = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<reply>",
    "fields": {
        "tool_calls": {
            "open": "<call>",
            "close": "</call>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close": "<end>", "content": "text"},
    },
}
"""How a tokenizer tells the server where calls stand in what a model says."""
PATIENCE = 120.0
"""Seconds until the server has to be up."""


def save_babbler(folder: Path) -> Path:
    """Random weights; after a few tokens the end grows likelier with every further one."""
    tokenizer = _tokenizer(())
    model = _llama(len(tokenizer), hidden=16)
    ends = GenerationConfig(eos_token_id=2, pad_token_id=0, exponential_decay_length_penalty=(4, 1.5))
    return _save(folder, model, tokenizer, ends)


def save_parrot(folder: Path, pieces: Sequence[str]) -> Path:
    """Says `pieces`, each of which is one token, and ends; whatever it is told."""
    tokenizer = _tokenizer(pieces)
    size = len(tokenizer)
    model = _llama(size, hidden=size + size % 2)
    said = [tokenizer.vocab[piece] for piece in ("<reply>", *pieces, "<end>")]
    layer = model.model.layers[0]
    with torch.no_grad():
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size, model.config.hidden_size))
        model.lm_head.weight.zero_()
        for before, after in pairwise(said):
            model.lm_head.weight[after, before] = 1.0
    return _save(folder, model, tokenizer, GenerationConfig(eos_token_id=2, pad_token_id=0))


def _tokenizer(pieces: Sequence[str]) -> PreTrainedTokenizerFast:
    """Reads word by word, few of which it knows; speaks letters and pieces."""
    words = {word: place for place, word in enumerate((*SPECIAL, *LETTERS))}
    letters = Tokenizer(WordLevel(words, unk_token="<unk>"))
    letters.pre_tokenizer = WhitespaceSplit()
    letters.decoder = Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=letters,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="<end>",
        additional_special_tokens=["<turn>", "<reply>"],
        chat_template=TEMPLATE,
        response_template=CALLS,
    )
    tokenizer.add_tokens(list(pieces))
    return tokenizer


def _llama(words: int, hidden: int) -> LlamaForCausalLM:
    config = LlamaConfig(
        hidden_size=hidden,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        vocab_size=words,
        max_position_embeddings=1_000_000,
        eos_token_id=2,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LlamaForCausalLM(config)


def _save(
    folder: Path, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, generation: GenerationConfig
) -> Path:
    model.generation_config = generation
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@contextmanager
def transformers_serve(log: Path) -> Iterator[str]:
    """Its address, up until the block is left; models are named by their folders. What it prints goes to `log`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = "from transformers.cli.transformers import main; main()"
    words = ["serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with log.open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            stdout=told,
            stderr=subprocess.STDOUT,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
        try:
            _await(process, f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Waits until the server answers. Raises RuntimeError with what it printed when it does not."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"`transformers serve` did not come up: {log.read_text()[-2000:]}")
