"""A model's LiteRT files, unproven."""

from collections.abc import Iterator
from pathlib import Path

from kgen.export.captions import Captions
from kgen.export.litert.conversion import converted
from kgen.export.litert.graph import BATCHES, Graph
from kgen.export.litert.metadata import finished, metadata_of
from kgen.export.litert.rungs import PARTS, Rung
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage

SEED = 1_000_000  # of noise that no one else is likely to draw with
NUM_UNSEEN = 40  # captions that ranges are checked with


class Conversions:
    """Conversions of a model, each made once, when a rung first wants it.

    Args:
        painter: The model.
        captions: What integer files take the ranges of their activations from.
    """

    def __init__(self, painter: TextToImage, captions: Captions):
        self._painter, self._captions = painter, captions
        self._graphs: dict[bool, Graph] = {}
        self._converted: dict[tuple, bytes] = {}

    def versions(self, rung: Rung, parts: tuple[str, ...] = PARTS) -> Iterator[tuple[str, dict]]:
        """What a rung may be: name of the recipe and the files' contents by part, fastest first."""
        if rung.name in ("float32", "float16"):
            half = rung.name == "float16"
            yield "", {part: self._of(part, rung.packed, half) for part in parts}
            return
        # Here, since the quantizer takes a second to import.
        from kgen.export.litert.quantization import RECIPES, quantized

        networks = self._painter.config.networks
        size = networks.drawn_size
        others = self._captions.proof[:NUM_UNSEEN]
        given = {
            part: (
                self._of(part, rung.packed),
                self._inputs(part, rung.packed, self._captions.calibration, SEED),
                self._inputs(part, rung.packed, others, SEED + 1),
            )
            for part in parts
        }
        for recipe in RECIPES[rung.name]:
            yield str(recipe), {
                part: quantized(content, recipe, seen, unseen, size)
                for part, (content, seen, unseen) in given.items()
            }

    def _of(self, part, packed, half=False):
        key = part, packed and part != "encoder", half
        if key not in self._converted:
            graph = self._graph(packed)
            functions = {name: getattr(graph, part)(batch) for name, batch in BATCHES.items()}
            self._converted[key] = converted(graph.variables, functions, half)
        return self._converted[key]

    def _graph(self, packed):
        if packed not in self._graphs:
            self._graphs[packed] = Graph(self._painter, packed)
        return self._graphs[packed]

    def _inputs(self, part, packed, captions, seed):
        """Inputs of a part by signature, as the model gets them of real captions and noise."""
        captions = captions[: len(captions) // 4 * 4] or (captions * 4)[:4]
        token_ids = self._painter.tokenizer(captions).numpy()
        given = {"token_ids": token_ids}
        if part != "encoder":
            dim = self._painter.config.networks.noise_dim
            given["noise"] = sample_noise(len(captions), dim, seed)
        if part == "generator":
            del given["token_ids"]
            text = self._graph(packed).encode(token_ids)
            given |= {name: tensor.numpy() for name, tensor in text.items()}
        return {
            signature: [
                {name: rows[i : i + batch] for name, rows in given.items()}
                for i in range(0, len(captions), batch)
            ]
            for signature, batch in BATCHES.items()
        }


def write_rung(painter: TextToImage, folder: Path, rung: Rung, contents: dict[str, bytes]) -> None:
    """Writes a rung's files, with what they say of themselves."""
    metadata = metadata_of(painter)
    for part, content in contents.items():
        (folder / rung.file(part)).write_bytes(finished(content, metadata))
