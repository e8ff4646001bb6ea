"""Pictures of captions by an exported LiteRT file, without TensorFlow."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from kgen import checks, files
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.runtime.precisions import part_files
from kgen.runtime.tokenizer import RuntimeTokenizer

ABOUT = "model.json"
PLACE = "litert"
SIGNATURE = "serving_default"
THREADS = 2


class RuntimePainter:
    """An exported model with its tokenizer. It draws what `kgen.TextToImage` draws of a caption
    and a seed, as near as the export's proof says.

    Args:
        folder: An export's folder, or `litert` in it.
        num_threads: Threads that draw a picture.
        precision: `float32`, `float16`, `dynamic` or `int8`; `None`: the nearest to the model that
            is there.

    Attributes:
        name: Of the model.
        hash: Of its exact weights; empty if unknown.
        post: Post-processing that is part of it; empty for none.
        fewest_tokens: Of the shortest caption that the model was taught by; 0 if unknown.
        tokenizer: Captions to token ids.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file does not hold what it should, or there is no such precision.

    Example:
        >>> painter = RuntimePainter("exported/litert")  # doctest: +SKIP
        >>> painter.generate(["美丽的日落景象"], seed=7).shape  # doctest: +SKIP
        (1, 64, 64, 3)
    """

    def __init__(
        self, folder: str | os.PathLike, num_threads: int = THREADS, precision: str | None = None
    ):
        inside = Path(folder) / PLACE
        folder = inside if (inside / ABOUT).is_file() else Path(folder)
        about = read_about(folder)
        self.name, self.hash, self.post = about["name"], about["hash"], about["post"]
        self.fewest_tokens = about["fewest_tokens"]
        self.tokenizer = RuntimeTokenizer.read(folder)
        of_captions, of_images = part_files(folder, precision)
        # The encoder's operators are so small that a second thread only makes them wait.
        self._encode, (_, length) = _runner(of_captions, "token_ids", num_threads=1)
        self._draw, (_, self._noise_dim) = _runner(of_images, "noise", num_threads)
        if length != self.tokenizer.caption_length:
            raise ValueError(_export_anew(of_captions, f"token ids of length {length}"))

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
        drawn = list(self._images(self.tokenizer(captions), noise))
        return to_pixels(np.concatenate(drawn)) if drawn else self._none()

    def _images(self, token_ids, noise) -> Iterator[np.ndarray]:
        """y = G(z, T(x)), one by one: float32 (1, H, W, 3), in [-1, 1]."""
        before, text = None, {}
        for ids, z in zip(token_ids[:, None], noise[:, None]):
            if before is None or not np.array_equal(ids, before):
                before, text = ids, self._encode(token_ids=ids)
            yield self._draw(noise=z, **text)["image"]

    def _none(self):
        (image,) = self._draw.get_output_details().values()
        return np.zeros((0, *image["shape"][1:]), np.uint8)


def _runner(path, given, num_threads):
    """A file's function of a batch of 1, and the shape of one of the tensors that it is given."""
    try:
        interpreter = Interpreter(os.fspath(path), num_threads=num_threads)
        run = interpreter.get_signature_runner(SIGNATURE)
        return run, run.get_input_details()[given]["shape"]
    except (RuntimeError, ValueError, KeyError) as error:
        raise ValueError(_export_anew(path, str(error))) from None


def read_about(folder: Path) -> dict[str, str | int]:
    """What an exported model says of itself: `name`, `hash`, `post` and `fewest_tokens`.

    Raises:
        FileNotFoundError: The file is missing.
        ValueError: It holds something else.
    """
    if not (folder / ABOUT).is_file():
        raise FileNotFoundError(_export_anew(folder, f"no {ABOUT}"))
    about = files.read_json(folder / ABOUT)
    try:
        told = {key: str(about[key]) for key in ("name", "hash", "post")}
        return {**told, "fewest_tokens": int(about["fewest_tokens"])}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(_export_anew(folder / ABOUT, repr(error))) from None


def _export_anew(path, received):
    return checks.wrong(str(path), "of an export", received, "Export the model anew.")
