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
        self._run = _runner(_interpreter(path, num_threads=1), path, 1)
        (_, self.caption_length) = _shape(self._run, path, "token_ids")

    def __call__(self, token_ids: np.ndarray) -> dict[str, np.ndarray]:
        first, *others = [self._run(token_ids=ids) for ids in token_ids[:, None]]
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
        self._path = path
        self._interpreter = _interpreter(path, num_threads)
        self._runners = {1: _runner(self._interpreter, path, 1)}
        (_, self.noise_dim) = _shape(self._runners[1], path, "noise")
        # Four at once take two thirds of the time in float, and give the same to the last bit. In
        # 8 bits they take as long, and have ranges of their own, which give other pictures.
        has_few = is_float(path) and SIGNATURES[FEW] in self._interpreter.get_signature_list()
        self._at_once = FEW if has_few else 1

    def __call__(self, noise: np.ndarray, text: Mapping[str, np.ndarray]) -> np.ndarray:
        given = {"noise": noise, **text}
        if len(noise) == 1:
            return self._runner_of(1)(**given)["image"]
        fours, ones = divmod(len(noise), self._at_once)
        drawn, first = [], 0
        for batch in (self._at_once,) * fours + (1,) * ones:
            some = {name: rows[first : first + batch] for name, rows in given.items()}
            drawn.append(self._runner_of(batch)(**some)["image"])
            first += batch
        return np.concatenate(drawn)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, 3), in pixels."""
        (image,) = self._runners[1].get_output_details().values()
        return tuple(image["shape"][1:])

    def _runner_of(self, batch):
        if batch not in self._runners:
            self._runners[batch] = _runner(self._interpreter, self._path, batch)
        return self._runners[batch]


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
