"""Model files made in a test, a few hundred kilobytes each: one with random weights, one whose weights spell a given text.

The scripted one has a vocabulary of single bytes and of the pieces of its text. Attention and feed-forward are zero, so the next token
depends on the last one alone: after any byte comes the first piece, after each piece the next one, after the last one the end.
"""

from pathlib import Path

import gguf
import numpy as np

_PIECE = 12
_BYTES = 256
_STRENGTH = 10.0
_TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"


def scripted(path: Path, text: str) -> Path:
    """A model that answers every prompt with this text."""
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    width = -(-(len(pieces) + 1) // 64) * 64
    first = 3 + _BYTES
    embedding = np.zeros((first + len(pieces), width), np.float32)
    output = np.zeros_like(embedding)
    embedding[:first, 0] = 1
    for place in range(len(pieces)):
        embedding[first + place, place + 1] = 1
        output[first + place, place] = _STRENGTH
    output[2, len(pieces)] = _STRENGTH  # the end
    return _write(path, pieces, embedding, output, noise=None)


def random(path: Path, seed: int = 7) -> Path:
    """A model that babbles."""
    noise = np.random.default_rng(seed)
    shape = (3 + _BYTES, 64)
    return _write(path, [], noise.normal(size=shape).astype(np.float32), noise.normal(size=shape).astype(np.float32), noise)


def _write(path: Path, pieces: list[str], embedding: np.ndarray, output: np.ndarray, noise: "np.random.Generator | None") -> Path:
    width = embedding.shape[1]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(8_192)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width)
    writer.add_vocab_size(embedding.shape[0])
    _vocabulary(writer, pieces)
    for name, tensor in _tensors(embedding, output, noise).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary(writer: gguf.GGUFWriter, pieces: list[str]) -> None:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(_BYTES)), *(piece.replace(" ", "▁") for piece in pieces)]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    kinds += [gguf.TokenType.BYTE] * _BYTES + [gguf.TokenType.NORMAL] * len(pieces)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * (3 + _BYTES) + [-1e6] * len(pieces))
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(_TEMPLATE)


def _tensors(embedding: np.ndarray, output: np.ndarray, noise: "np.random.Generator | None") -> dict[str, np.ndarray]:
    width = embedding.shape[1]
    shapes = {
        "attn_q": (width, width), "attn_k": (width, width), "attn_v": (width, width), "attn_output": (width, width),
        "ffn_gate": (64, width), "ffn_up": (64, width), "ffn_down": (width, 64),
    }  # fmt: skip
    inner = {
        f"blk.0.{name}.weight": np.zeros(shape, np.float32) if noise is None else noise.normal(size=shape).astype(np.float32) / 8
        for name, shape in shapes.items()
    }
    ones = np.ones(width, np.float32)
    norms = dict.fromkeys(("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight"), ones)
    return {"token_embd.weight": embedding, "output.weight": output, **norms, **inner}
