"""The folder a model lives in, be it a preset or a run: configuration, vocabulary, weights.

A model with a pretrained text model has, in place of the vocabulary, that model's preset in it.
"""

import os
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras
import numpy as np

from kgen import checks, files
from kgen.config import PRECISIONS, PRETRAINED, Config
from kgen.model_files import CONFIG, PRETRAINED_TEXT, VOCABULARY, WEIGHTS, model_hash
from kgen.networks.generator import build_generator
from kgen.networks.text_to_image import build_text_to_image
from kgen.text.encoders import build_encoder
from kgen.text.pretrained import HiddenStates, PretrainedText, load_pretrained, pretrained_of
from kgen.text.vocabulary import read_vocabulary, write_vocabulary


@dataclass(frozen=True)
class ModelFolder:
    """What a model's folder holds.

    Attributes:
        config: The model's configuration.
        vocabulary: Its wordpieces; a token's id is its place.
        model: T and G joined, from `build_text_to_image`.
        hash: 16 hexadecimal digits of the SHA-256 of configuration, vocabulary and weights.
    """

    config: Config
    vocabulary: tuple[str, ...]
    model: keras.Model
    hash: str


def build_model(
    config: Config,
    vocabulary_size: int,
    pretrained: PretrainedText | None = None,
    precision: str = "float32",
) -> keras.Model:
    """Builds T and G joined, with fresh weights.

    Args:
        config: The model's configuration.
        vocabulary_size: Number of wordpieces.
        pretrained: What reads captions, where the encoder is `pretrained`; loaded if left out.
        precision: Of its arithmetic; weights and image are float32 always.
    """
    dtype = PRECISIONS[precision]
    states = pretrained and HiddenStates(pretrained, name="states", dtype="float32")
    encoder = build_encoder(config.text, vocabulary_size, dtype, states)
    return build_text_to_image(encoder, build_generator(config.networks, config.text, dtype))


def write_weights(model: keras.Model, path: str | os.PathLike, dtype: str = "float32") -> None:
    """Writes weights as HDF5, whole or not at all.

    Args:
        model: Any Keras model.
        path: A file that ends in `.weights.h5`.
        dtype: `float32`, or `float16` for half the size; they are read back as float32.
    """
    with files.whole_file(path) as beside:
        model.save_weights(beside)
        if dtype != "float32":
            with h5py.File(beside, "r") as full, h5py.File(f"{beside}.cast", "w") as cast:
                _copy_as(full, cast, dtype)
            os.replace(f"{beside}.cast", beside)
        with h5py.File(beside, "r+") as file:
            file.attrs["checksum"] = checksum(file)


def write_model(
    folder: str | os.PathLike,
    config: Config,
    vocabulary: tuple[str, ...],
    model: keras.Model,
    dtype: str = "float32",
) -> None:
    """Writes a model's three files into `folder`, which is made if need be."""
    folder = Path(folder)
    write_about(folder, config, vocabulary, pretrained_of(model))
    write_weights(model, folder / WEIGHTS, dtype)


def write_about(
    folder: str | os.PathLike,
    config: Config,
    vocabulary: tuple[str, ...],
    pretrained: PretrainedText | None = None,
) -> None:
    """Writes what weights are of: the configuration, and how captions are cut into tokens."""
    folder = Path(folder)
    if pretrained:
        pretrained.write(folder / PRETRAINED_TEXT)
    else:
        write_vocabulary(folder / VOCABULARY, vocabulary)
    files.write_json(folder / CONFIG, config.to_dict())


def read_model(folder: str | os.PathLike, precision: str = "float32") -> ModelFolder:
    """Reads a model's three files.

    Args:
        folder: Where they lie.
        precision: Of the model's arithmetic.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file does not hold what it should.
    """
    folder = Path(folder)
    config = Config.read(folder / CONFIG) if (folder / CONFIG).is_file() else Config()
    reads = PRETRAINED_TEXT if config.text.encoder == PRETRAINED else VOCABULARY
    for name in (CONFIG, reads, WEIGHTS):
        there = Path.is_dir if name == PRETRAINED_TEXT else Path.is_file
        if not there(folder / name):
            raise FileNotFoundError(
                checks.wrong(
                    "folder",
                    f"a model's folder with {CONFIG}, {reads} and {WEIGHTS}",
                    str(folder),
                    f"It has no {name}: train one there, or wait for a run's first report.",
                )
            )
    pretrained = load_pretrained(folder / reads) if config.text.encoder == PRETRAINED else None
    vocabulary = pretrained.vocabulary if pretrained else read_vocabulary(folder / VOCABULARY)
    model = build_model(config, len(vocabulary), pretrained, precision)
    read_weights(model, folder / WEIGHTS)
    return ModelFolder(config, vocabulary, model, model_hash(folder))


def read_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Reads into `model` what `write_weights` wrote.

    Raises:
        ValueError: The file is damaged, or holds another model's weights.
    """
    try:
        with warnings.catch_warnings():
            # Keras warns of layers that a file lacks and leaves them as they were first set.
            warnings.filterwarnings("error", message="Skipping")
            _check_sum(path)
            model.load_weights(path)
    except (OSError, ValueError, KeyError, RuntimeError, UserWarning) as error:
        raise ValueError(
            f"{path}: damaged, or not the weights of the configuration beside it "
            f"({_first_sentence(error)}). Restore the file or train anew."
        ) from None


def _first_sentence(error):
    """Keras goes on to guess at the cause."""
    return str(error).splitlines()[0].partition(". ")[0]


def checksum(file: h5py.File) -> int:
    """CRC-32 over an HDF5 file's arrays, their names, and its attribute `state`, if it has one."""
    names = []
    file.visititems(lambda name, item: names.append(name) if _is_array(item) else None)
    total = zlib.crc32(str(file.attrs.get("state", "")).encode())
    for name in sorted(names):
        total = zlib.crc32(name.encode(), total)
        total = zlib.crc32(np.ascontiguousarray(file[name][()]).tobytes(), total)
    return total


def _is_array(item):
    return isinstance(item, h5py.Dataset)


def _check_sum(path):
    with h5py.File(path, "r") as file:
        # The first models were written without one.
        if int(file.attrs.get("checksum", -1)) not in (-1, checksum(file)):
            raise ValueError("its checksum is wrong")


def _copy_as(source, target, dtype):
    """Copies an HDF5 group; floating-point arrays become `dtype`."""
    target.attrs.update(source.attrs)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy_as(item, target.create_group(name), dtype)
        else:
            array = item[()]
            array = array.astype(dtype) if array.dtype.kind == "f" else array
            target.create_dataset(name, data=array).attrs.update(item.attrs)
