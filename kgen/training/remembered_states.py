"""A pretrained text model's hidden states of a set's captions: computed once, kept on a disk.

    states_0123456789abcdef/
        ids.npy      int32 (N, L), big-endian: the distinct captions, sorted
        firsts.npy   int64 (N,): where each caption's states begin
        states.npy   float16 (tokens of all captions, H)

A step then costs what it costs with an embedding, and not the pass through a text model.
"""

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tqdm import tqdm

from kgen import checks, files
from kgen.data.batches import TokenIds
from kgen.text.pretrained import PretrainedText
from kgen.training import full_disk

CACHE = "KGEN_CACHE"  # the environment's name for a folder that several runs share
FOLDER = "states"  # in a run's folder, where there is none
AT_ONCE = 64  # captions
PARTS = ("ids.npy", "firsts.npy", "states.npy")


@keras.saving.register_keras_serializable("kgen")
class RememberedStates(layers.Layer):
    """int32 (B, L) token ids to remembered hidden states, float32 (B, L, H); 0 at padding.

    In place of `kgen.text.pretrained.HiddenStates`, from which they differ by what float16 rounds:
    one part in 2048.

    Args:
        folder: Written by `remember_states`.
    """

    def __init__(self, folder: str | os.PathLike, **kwargs):
        super().__init__(**kwargs)
        self.supports_jit = False  # reading a file is nothing that XLA compiles
        self.folder = os.path.abspath(folder)
        self._keys, self._firsts, self._states = open_states(Path(self.folder))

    def call(self, token_ids):
        hidden = tf.numpy_function(self.look_up, [token_ids], tf.float16, stateful=False)
        hidden = tf.ensure_shape(hidden, self.compute_output_shape(token_ids.shape))
        return tf.cast(hidden, self.compute_dtype)

    def compute_output_shape(self, token_ids_shape):
        return (*token_ids_shape, self._states.shape[-1])

    def get_config(self):
        return {**super().get_config(), "folder": self.folder}

    def look_up(self, token_ids: np.ndarray) -> np.ndarray:
        """float16 (B, L, H), of int32 (B, L).

        Raises:
            ValueError: A caption is not among those that are remembered.
        """
        wanted = _keys(token_ids)
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        if (self._keys[places] != wanted).any():
            hint = "Draw others with kgen.TextToImage."
            raise ValueError(
                checks.wrong("token_ids", "those of the run's captions", "others", hint)
            )
        hidden = np.zeros((*token_ids.shape, self._states.shape[-1]), np.float16)
        lengths = np.count_nonzero(token_ids, axis=1)
        for row, (first, length) in enumerate(zip(self._firsts[places], lengths)):
            hidden[row, :length] = self._states[first : first + length]
        return hidden


def remember_states(
    pretrained: PretrainedText,
    token_ids: Sequence[np.ndarray],
    run: str | os.PathLike,
    progress: bool = False,
) -> RememberedStates:
    """Hidden states of captions; computed where they are not there yet.

    They lie in the folder that the environment names as KGEN_CACHE, or in the run's `states`,
    under a name that tells text model and captions.

    Args:
        pretrained: Whose states.
        token_ids: The ids of each picture's captions: `TokenIds` or N arrays int32 (K_i, L).
        run: The run's folder.
        progress: Whether to show a bar on stderr.

    Raises:
        ValueError: A state is not finite, or above what float16 holds.
        OSError: There is no room.
    """
    distinct = np.unique(TokenIds.joined(token_ids).ids, axis=0).astype(np.int32)
    place = _place(run) / f"states_{_digest(pretrained, distinct)}"
    try:
        open_states(place)
    except (OSError, ValueError):  # not there, or cut off when the power went
        needed = 2 * np.count_nonzero(distinct) * pretrained.hidden_dim
        with full_disk.explained(place, needed), files.whole_folder(place) as beside:
            full_disk.check_room(beside, needed)
            _write(pretrained, distinct, beside, progress)
    return RememberedStates(place, name="states", dtype="float32")


def open_states(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys bytes (N,), firsts int64 (N,), states float16 (tokens, H); none is read yet.

    Raises:
        OSError: A file is missing.
        ValueError: A file is not what was written.
    """
    ids, firsts, states = (np.load(folder / name, mmap_mode="r") for name in PARTS)
    if len(ids) != len(firsts) or np.count_nonzero(ids) != len(states):
        raise ValueError(f"{folder}: its files do not belong together.")
    return _keys(ids), firsts, states


def _write(pretrained, distinct, folder, progress):
    # Captions of one length together: their padding would cost as much as their words.
    lengths = np.count_nonzero(distinct, axis=1)
    order = np.argsort(lengths, kind="stable")
    firsts = np.empty(len(distinct), np.int64)
    firsts[order] = np.cumsum(lengths[order]) - lengths[order]
    np.save(folder / "ids.npy", distinct.astype(">i4"))
    np.save(folder / "firsts.npy", firsts)
    states_of = tf.function(
        pretrained.states,
        input_signature=[tf.TensorSpec((None, None), tf.int32)],
        autograph=False,
    )
    name = os.path.basename(pretrained.preset.rstrip(os.sep))
    with (
        (folder / "states.npy").open("wb") as file,
        tqdm(
            total=len(order), desc=f"captions read by {name}", file=sys.stderr, disable=not progress
        ) as bar,
    ):
        shape = (int(lengths.sum()), pretrained.hidden_dim)
        about = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, about)
        for first in range(0, len(order), AT_ONCE):
            rows = distinct[order[first : first + AT_ONCE]]
            rows = rows[:, : max(1, np.count_nonzero(rows, axis=1).max())]
            hidden = states_of(rows).numpy()[rows != 0]  # (tokens, H), one caption after another
            with np.errstate(over="ignore"):
                hidden = hidden.astype("<f2")
            if not np.isfinite(hidden).all():
                hint = "Its hidden states are above 65504 or not finite. Choose another."
                expected = "a text model whose states float16 can hold"
                raise ValueError(checks.wrong("text.pretrained", expected, pretrained.preset, hint))
            file.write(hidden.tobytes())
            bar.update(len(rows))


def _keys(token_ids):
    """Each row as bytes, which numpy compares as the rows' numbers would be: big-endian, none
    below 0.
    """
    rows = np.ascontiguousarray(token_ids, ">i4")
    return rows.view(f"S{4 * rows.shape[1]}")[:, 0]


def _place(run):
    shared = os.environ.get(CACHE, "")
    return Path(shared) if shared else Path(run) / FOLDER


def _digest(pretrained, distinct):
    digest = hashlib.sha256(f"{pretrained.fingerprint()} {distinct.shape}".encode())
    digest.update(distinct.astype(">i4").tobytes())
    return digest.hexdigest()[:16]
