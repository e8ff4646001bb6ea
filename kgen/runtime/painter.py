"""Pictures of captions by an exported LiteRT file, without TensorFlow."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from kgen import checks
from kgen.encodings import Encodings
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.runtime.about import ABOUT, export_anew, read_about
from kgen.runtime.parts import FEW, Encoder, Generator
from kgen.runtime.precisions import part_files
from kgen.runtime.tokenizer import RuntimeTokenizer
from kgen.runtime.workers import Lent, in_order
from kgen.streaming import in_groups

PLACE = "litert"
THREADS = 2
TOGETHER = 16  # captions that are encoded together, lest T and G take the caches from each other


class RuntimePainter:
    """An exported model with its tokenizer. It draws what `kgen.TextToImage` draws of a caption
    and a seed, as near as the export's proof says.

    Args:
        folder: An export's folder, or `litert` in it.
        num_threads: Threads that draw: a few pictures each together, of many pictures each its own.
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
        self._num_threads = num_threads
        self._generator = Generator(of_images, num_threads)  # of few pictures
        self._generators = Lent(lambda: Generator(of_images))  # of many, one in each thread
        self._encoders = Lent(lambda: Encoder(of_captions))
        self._encodings = Encodings(self._encode)
        with self._encoders.one() as encoder:
            length = encoder.caption_length
        if length != self.tokenizer.caption_length:
            raise ValueError(export_anew(of_captions, f"token ids of length {length}"))

    @property
    def image_size(self) -> int:
        """Height and width of a picture, in pixels, after post-processing."""
        return self._generator.image_shape[0]

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
        if not captions:
            return np.zeros((0, *self._generator.image_shape), np.uint8)
        if len(captions) <= FEW:
            return np.concatenate([*self._drawn(in_groups(captions, FEW), seed, 1)])
        fours_of_each = -(-len(captions) // (FEW * self._num_threads))
        groups = in_groups(captions, min(TOGETHER, FEW * fours_of_each))
        return np.concatenate([*self._drawn(groups, seed, self._num_threads)])

    def stream(self, captions: Iterable[str], seed: int = 0) -> Iterator[np.ndarray]:
        """Draws one picture of each caption, as they are asked for.

        Captions are read, and pictures drawn, a few dozen ahead; neither they nor pictures are
        kept. Encodings of the last captions are, for when they come again.

        Args:
            captions: As many as there are; there may be no end of them.
            seed: At least 0. Picture i is what `generate` draws of caption i with seed + i.

        Yields:
            uint8 (H, W, 3), in [0, 255].

        Raises:
            TypeError: `captions` are not strings, or `seed` is no whole number. Of a caption that
                is no string it is told when its turn comes.
            ValueError: `seed` is negative.

        Example:
            >>> pictures = painter.stream(open("captions.txt"), seed=7)  # doctest: +SKIP
        """
        checks.check_int("seed", seed, 0)
        return self._one_by_one(in_groups(captions, TOGETHER), seed)

    def _one_by_one(self, groups, seed):
        with contextlib.closing(self._drawn(groups, seed, self._num_threads)) as drawn:
            for pictures in drawn:
                for picture in pictures:
                    yield picture.copy()  # which, kept, does not keep those drawn beside it

    def _drawn(self, groups, seed, num_threads):
        """Pictures of each group of captions, drawn by a thread each, or all by this one."""
        tasks = self._tasks(groups, seed)
        if num_threads > 1:
            yield from in_order(self._draw_in_thread, tasks, num_threads)
        else:
            for task in tasks:
                yield self._draw(self._generator, *task)

    def _tasks(self, groups, seed):
        """Each group of captions with the seed of its first picture."""
        for group in groups:
            yield group, seed
            seed += len(group)

    def _draw_in_thread(self, task):
        with self._generators.one() as generator:
            return self._draw(generator, *task)

    def _draw(self, generator, captions, seed):
        noise = sample_noise(len(captions), generator.noise_dim, seed)
        return to_pixels(generator(noise, self._encodings(captions)))

    def _encode(self, captions):
        with self._encoders.one() as encoder:
            return encoder(self.tokenizer(captions))
