"""The two files of an exported model, each in an interpreter: T and G."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from kgen.runtime.about import export_anew
from kgen.runtime.precisions import is_float

FEW = 4  # pictures that G may draw at once
SIGNATURES = {1: "serving_default", FEW: "serving_default_4"}  # by the batch


class Encoder:
    """T of an exported model, for one thread at a time.

    Args:
        path: Its file.

    Call args:
        token_ids: int32 (B, L), in [0, V). 0 is padding.

    Returns:
        What G takes of captions: float32 (B, …), by name.

    Raises:
        ValueError: The file holds something else.
    """

    def __init__(self, path: Path):
        # Its operators are so small that a second thread only makes them wait.
        self._runners = _Runners(path, num_threads=1)
        (_, self.caption_length) = _shape(self._runners[1], path, "token_ids")

    def __call__(self, token_ids: np.ndarray) -> dict[str, np.ndarray]:
        # Four at once take half of the time, in 8 bits, too, and give the same to the last bit.
        first, *others = self._runners.in_batches({"token_ids": token_ids}, FEW)
        if not others:
            return first
        return {name: np.concatenate([first[name], *(o[name] for o in others)]) for name in first}


class Generator:
    """G of an exported model, for one thread at a time.

    Args:
        path: Its file.
        num_threads: Threads that draw a picture.

    Call args:
        noise: float32 (B, Z), N(0, 1).
        text: What `Encoder` gives.

    Returns:
        float32 (B, H, W, 3), in [-1, 1].

    Raises:
        ValueError: The file holds something else.
    """

    def __init__(self, path: Path, num_threads: int = 1):
        self._runners = _Runners(path, num_threads)
        (_, self.noise_dim) = _shape(self._runners[1], path, "noise")
        # Four at once take two thirds of the time in float, and give the same to the last bit. In
        # 8 bits they take as long, and have ranges of their own, which give other pictures.
        self._at_once = FEW if is_float(path) else 1

    def __call__(self, noise: np.ndarray, text: Mapping[str, np.ndarray]) -> np.ndarray:
        drawn = self._runners.in_batches({"noise": noise, **text}, self._at_once)
        images = [of["image"] for of in drawn]
        return images[0] if len(images) == 1 else np.concatenate(images)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, 3), in pixels."""
        (image,) = self._runners[1].get_output_details().values()
        return tuple(image["shape"][1:])


class _Runners:
    """A file's functions by their batch, each made when it is first called."""

    def __init__(self, path, num_threads):
        self._path, self._interpreter = path, _interpreter(path, num_threads)
        self._batches = [n for n in SIGNATURES
                         if SIGNATURES[n] in self._interpreter.get_signature_list()]  # fmt: skip
        self._made = {}

    def __getitem__(self, batch):
        if batch not in self._made:
            self._made[batch] = _runner(self._interpreter, self._path, batch)
        return self._made[batch]

    def in_batches(self, given, at_once) -> list[dict[str, np.ndarray]]:
        """What comes of B rows, in batches of `at_once`, where the file has such, and of 1."""
        num = len(next(iter(given.values())))
        at_once = at_once if at_once in self._batches else 1
        several, ones = divmod(num, at_once)
        if num == 1:
            return [self[1](**given)]
        made, first = [], 0
        for batch in (at_once,) * several + (1,) * ones:
            some = {name: rows[first : first + batch] for name, rows in given.items()}
            made.append(self[batch](**some))
            first += batch
        return made


def _interpreter(path, num_threads):
    try:
        return Interpreter(os.fspath(path), num_threads=num_threads)
    except (RuntimeError, ValueError) as error:
        raise ValueError(export_anew(path, str(error))) from None


def _runner(interpreter, path, batch):
    try:
        return interpreter.get_signature_runner(SIGNATURES[batch])
    except (RuntimeError, ValueError, KeyError) as error:
        raise ValueError(export_anew(path, str(error))) from None


def _shape(run, path, given):
    try:
        return run.get_input_details()[given]["shape"]
    except KeyError as error:
        raise ValueError(export_anew(path, str(error))) from None
