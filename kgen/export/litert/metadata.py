"""What a LiteRT file says of itself, to whoever has nothing but the file."""

import json
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kgen.export.beside import about
from kgen.export.litert.conversion import parsed, serialized
from kgen.pipeline import TextToImage
from kgen.text.chinese_words import is_chinese
from kgen.text.pretrained import pretrained_of

KEY = "kgen"  # of the file's metadata
RANGES = {
    "token_ids": "int32 (B, {L}), in [0, {V}), 0 = padding, at the end only",
    "noise": "float32 (B, {Z}), N(0, 1)",
    "caption_vector": "float32 (B, {C}), unbounded",
    "words": "float32 (B, {L}, {C}), unbounded, 0 at padding",
    "mask": "float32 (B, {L}), 1 at a token, 0 at padding",
    "image": "float32 (B, {H}, {H}, 3), in [-1, 1]; pixel = round(127.5 (image + 1))",
}


def metadata_of(painter: TextToImage) -> dict[str, Any]:
    """What stands in every file of a model: `about` it, its `license` and `credit`, the
    `languages` of its captions, the `tensors`' shapes and ranges by their names, and its
    `vocabulary`, in the order of the ids; empty where a pretrained text model reads captions.
    """
    config, card = painter.config, painter.card
    sizes = {
        "L": config.text.caption_length,
        "V": len(painter.vocabulary),
        "Z": config.networks.noise_dim,
        "C": config.text.caption_dim,
        "H": painter.image_size,
    }
    own = pretrained_of(painter.model) is None
    chinese = any(map(is_chinese, painter.vocabulary))
    return {
        **about(painter),
        "license": card.get("license", ""),
        "credit": card.get("credit", ""),
        "languages": ["en", "zh"] if chinese else ["en"],
        "tensors": {name: text.format(**sizes) for name, text in RANGES.items()},
        "vocabulary": list(painter.vocabulary) if own else [],
    }


def finished(content: bytes, metadata: dict[str, Any]) -> bytes:
    """A LiteRT file with metadata, and without the names of tensors that are neither its inputs
    nor its outputs: a twentieth of an int8 file.

    The metadata are JSON under the name `kgen` in the file's table of metadata, which
    `tflite::FlatBufferModel::ReadAllMetadata` reads.
    """
    model = parsed(content)
    for subgraph in model.subgraphs:
        named = {*subgraph.inputs, *subgraph.outputs}
        for index, tensor in enumerate(subgraph.tensors):
            if index not in named:
                tensor.name = None
    buffer, entry = schema.BufferT(), schema.MetadataT()
    text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
    buffer.data = np.frombuffer(text.encode(), np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = KEY, len(model.buffers) - 1
    model.metadata = [*(model.metadata or ()), entry]
    return serialized(model)


def read_metadata(content: bytes) -> dict[str, Any]:
    """What `finished` put into a LiteRT file; empty where it was not."""
    model = parsed(content)
    for entry in model.metadata or ():
        if entry.name in (KEY, KEY.encode()):
            return json.loads(np.asarray(model.buffers[entry.buffer].data).tobytes())
    return {}
