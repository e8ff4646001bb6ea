"""Pictures of captions by an exported LiteRT file, without TensorFlow."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from kgen import checks, files
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.runtime.tokenizer import RuntimeTokenizer

MODEL = "model.tflite"
ABOUT = "model.json"
SIGNATURE = "serving_default"
THREADS = 2


class RuntimePainter:
    """An exported model with its tokenizer. It draws what `kgen.TextToImage` draws of a caption
    and a seed, as near as the export's proof says.

    Args:
        folder: `litert` in an export's folder.
        num_threads: Threads that draw a picture.

    Attributes:
        name: Of the model.
        hash: Of its exact weights; empty if unknown.
        post: Post-processing that is part of it; empty for none.
        fewest_tokens: Of the shortest caption that the model was taught by; 0 if unknown.
        tokenizer: Captions to token ids.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file does not hold what it should.

    Example:
        >>> painter = RuntimePainter("exported/litert")  # doctest: +SKIP
        >>> painter.generate(["美丽的日落景象"], seed=7).shape  # doctest: +SKIP
        (1, 64, 64, 3)
    """

    def __init__(self, folder: str | os.PathLike, num_threads: int = THREADS):
        folder = Path(folder)
        about = read_about(folder)
        self.name, self.hash, self.post = about["name"], about["hash"], about["post"]
        self.fewest_tokens = about["fewest_tokens"]
        self.tokenizer = RuntimeTokenizer.read(folder)
        path = folder / MODEL
        if not path.is_file():
            raise FileNotFoundError(_export_anew(folder, f"no {MODEL}"))
        try:
            self._draw = Interpreter(os.fspath(path), num_threads=num_threads).get_signature_runner(
                SIGNATURE
            )
            inputs = self._draw.get_input_details()
            (_, length), (_, self._noise_dim) = (inputs[n]["shape"] for n in ("token_ids", "noise"))
        except (RuntimeError, ValueError, KeyError) as error:
            raise ValueError(_export_anew(path, str(error))) from None
        if length != self.tokenizer.caption_length:
            raise ValueError(_export_anew(path, f"token ids of length {length}"))

    def generate(self, captions: str | Sequence[str], seed: int = 0) -> np.ndarray:
        """Draws one picture of each caption.

        Args:
            captions: One caption or B of them.
            seed: Of the first picture; the next has seed + 1, and so on.

        Returns:
            uint8 (B, H, W, 3), in [0, 255].

        Raises:
            TypeError: `captions` are not strings, or `seed` is no whole number.
            ValueError: `seed` is negative.
        """
        captions = checks.strings("captions", captions)
        checks.check_int("seed", seed, 0)
        noise = sample_noise(len(captions), self._noise_dim, seed)
        drawn = list(self.images(self.tokenizer(captions), noise))
        return to_pixels(np.concatenate(drawn)) if drawn else self._none()

    def images(self, token_ids: np.ndarray, noise: np.ndarray) -> Iterator[np.ndarray]:
        """y = G(z, T(x)) for token ids int32 (B, L) and noise float32 (B, Z), one by one:
        float32 (1, H, W, 3), in [-1, 1].
        """
        for row in range(len(token_ids)):
            given = {"token_ids": token_ids[row : row + 1], "noise": noise[row : row + 1]}
            yield self._draw(**given)["image"]

    def _none(self):
        (image,) = self._draw.get_output_details().values()
        return np.zeros((0, *image["shape"][1:]), np.uint8)


def read_about(folder: Path) -> dict[str, str | int]:
    """What an exported model says of itself: `name`, `hash`, `post` and `fewest_tokens`.

    Raises:
        FileNotFoundError: The file is missing.
        ValueError: It holds something else.
    """
    about = files.read_json(folder / ABOUT)
    try:
        told = {key: str(about[key]) for key in ("name", "hash", "post")}
        return {**told, "fewest_tokens": int(about["fewest_tokens"])}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(_export_anew(folder / ABOUT, repr(error))) from None


def _export_anew(path, received):
    return checks.wrong(str(path), "of an export", received, "Export the model anew.")
