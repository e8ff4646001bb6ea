"""Text models of keras-hub that others have trained: read from a preset, kept beside a model.

A preset is a folder of keras-hub's, with a backbone and its tokenizer, or a name on a hub. Its
backbone stays as it is: T is what it says of each token, and a projection that is trained.
"""

import difflib
import hashlib
import json
import os
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from kgen import checks, files

INSTALL = "pip install 'kgen[pretrained]'"
EXPECTED = "the folder of a keras-hub preset, or its name on a hub"
# An encoder that comes with a decoder is read alone.
PREFIXES = ("", "encoder_")
INPUTS = ("token_ids", "padding_mask", "segment_ids")
OUTPUT = "sequence_output"
PADDING = "[PAD]"
PROBE = 4  # tokens
MOST_DIFFERENCE = 1e-3  # of what padding may change, in the states' standard deviations


class PretrainedText:
    """A frozen backbone with its tokenizer.

    Token ids are those of the backbone's own tokenizer and 1 more, so that 0 is padding whatever
    the preset pads with.

    Args:
        preset: What it was loaded from.
        backbone: keras-hub's `Backbone`.
        tokenizer: keras-hub's `Tokenizer` for it.

    Attributes:
        hidden_dim: H, numbers in the last hidden state of each token.
        vocabulary: The tokenizer's tokens, padding first.
        around: The tokenizer's ids, none or one each, that stand before and after a text.

    Raises:
        ValueError: The backbone reads no text, or not text alone, or lets padding change what it
            says of the tokens.
    """

    def __init__(self, preset: str, backbone: keras.Model, tokenizer: keras.layers.Layer):
        backbone.trainable = False
        self.preset, self.backbone, self.tokenizer = preset, backbone, tokenizer
        self._reader, self._inputs = _reader(preset, backbone)
        self.hidden_dim = int(self._reader.output.shape[-1])
        self._padding = getattr(tokenizer, "pad_token_id", None) or 0
        self.vocabulary = (PADDING, *map(str, tokenizer.get_vocabulary()))
        self.around = _around(tokenizer, is_half="decoder_token_ids" in backbone.input)
        self._check_padding()

    def states(self, token_ids):
        """The last hidden states.

        Args:
            token_ids: int32 (B, L), in [0, V). 0 is padding.

        Returns:
            float32 (B, L, H). What stands at padding means nothing.
        """
        is_token = ops.not_equal(token_ids, 0)
        given = {
            "token_ids": ops.where(is_token, token_ids - 1, self._padding),
            "padding_mask": ops.cast(is_token, "int32"),
            "segment_ids": ops.zeros_like(token_ids),
        }
        return self._reader([given[name] for name in self._inputs], training=False)

    @property
    def variables(self) -> list[keras.Variable]:
        """All that the states are a function of; none is trained. Seeds of dropout are left out."""
        return self._reader.weights

    def check_length(self, caption_length: int) -> None:
        """Raises `ValueError` where the backbone reads fewer tokens than that."""
        most = getattr(self.backbone, "max_sequence_length", None)
        if most is not None and caption_length > most:
            bounds = f"at most {most} with {self.preset}"
            hint = "Lower it."
            raise ValueError(checks.wrong("text.caption_length", bounds, caption_length, hint))

    def fingerprint(self) -> str:
        """16 hexadecimal digits of the SHA-256 of the backbone's settings and weights."""
        settings = {k: v for k, v in self.backbone.get_config().items() if k != "name"}
        named = [type(self.backbone).__name__, settings, self._padding]
        digest = hashlib.sha256(json.dumps(named, sort_keys=True, default=str).encode())
        for variable in self.variables:
            digest.update(np.ascontiguousarray(ops.convert_to_numpy(variable)).tobytes())
        return digest.hexdigest()[:16]

    def write(self, folder: str | os.PathLike) -> None:
        """Writes it as a preset, whole or not at all; a preset that is there is left alone.

        Raises:
            OSError: The folder cannot be written to.
        """
        folder = Path(folder)
        if folder.is_dir():
            return
        with files.whole_folder(folder) as beside:
            self.backbone.save_to_preset(os.fspath(beside))
            self.tokenizer.save_to_preset(os.fspath(beside))

    def _check_padding(self):
        token_ids = np.arange(1, PROBE + 1, dtype="int32")[None] % len(self.vocabulary)
        token_ids = np.maximum(token_ids, 1)
        padded = np.pad(token_ids, ((0, 0), (0, 2)))
        states, others = (ops.convert_to_numpy(self.states(ids)) for ids in (token_ids, padded))
        spread = float(states.std()) + 1e-12
        if np.abs(states - others[:, :PROBE]).max() > MOST_DIFFERENCE * spread:
            raise ValueError(
                checks.wrong(
                    "text.pretrained",
                    "a text model that leaves padding out",
                    self.preset,
                    f"{type(self.backbone).__name__} reads it as words. Choose another.",
                )
            )


def load_pretrained(preset: str | os.PathLike) -> PretrainedText:
    """Loads a backbone, in float32, and its tokenizer.

    Args:
        preset: A preset's folder; or its name on a hub, such as `bert_tiny_en_uncased`,
            `kaggle://…` or `hf://…`, from where keras-hub fetches it once.

    Raises:
        ValueError: keras-hub is not installed, or there is no text model.
        FileNotFoundError: There is neither such a folder nor such a name.
        OSError: The hub cannot be reached.
    """
    preset = os.fspath(preset)
    if not preset:
        hint = "Example: text.pretrained=bert_tiny_en_uncased."
        raise ValueError(checks.wrong("text.pretrained", EXPECTED, preset, hint))
    try:
        import keras_hub
    except ImportError as error:
        hint = f"keras-hub cannot be imported ({_first_line(error)}): {INSTALL}."
        raise ValueError(
            checks.wrong("text.pretrained", "empty without keras-hub", preset, hint)
        ) from None
    _check_known(preset, keras_hub.models.Backbone.presets)
    try:
        backbone = keras_hub.models.Backbone.from_preset(preset, dtype="float32")
        _reader(preset, backbone)  # before a tokenizer is looked for, which pictures have none of
        tokenizer = keras_hub.tokenizers.Tokenizer.from_preset(preset)
    except Exception as error:  # of many kinds: keras-hub's, its hubs', Keras', HDF5's
        _explain(preset, error)
    return PretrainedText(preset, backbone, tokenizer)


@keras.saving.register_keras_serializable("kgen")
class HiddenStates(layers.Layer):
    """int32 (B, L) token ids to a frozen backbone's last hidden states, float32 (B, L, H).

    The backbone's weights are none of the layer's: they are in no checkpoint and in no optimizer.
    `pretrained_of` finds them.

    Args:
        pretrained: A `PretrainedText`, or the preset to load it from.
    """

    def __init__(self, pretrained: PretrainedText | str, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(pretrained, PretrainedText):
            pretrained = load_pretrained(pretrained)
        self.pretrained = pretrained  # no Keras object, so Keras does not look into it

    def call(self, token_ids):
        return self.pretrained.states(token_ids)

    def compute_output_shape(self, token_ids_shape):
        return (*token_ids_shape, self.pretrained.hidden_dim)

    def get_config(self):
        return {**super().get_config(), "pretrained": self.pretrained.preset}


def pretrained_of(model: keras.Model) -> PretrainedText | None:
    """What a model reads captions with; None if it has learned that itself."""
    for layer in model._flatten_layers():
        if isinstance(layer, HiddenStates):
            return layer.pretrained
    return None


def frozen_variables(model: keras.Model) -> list[keras.Variable]:
    """The variables of a model's pretrained backbone, which `model.variables` lacks."""
    pretrained = pretrained_of(model)
    return pretrained.variables if pretrained else []


def _reader(preset, backbone):
    """The part of a backbone from token ids to one state each, and the names of its inputs."""
    inputs, outputs = backbone.input, backbone.output
    inputs = inputs if isinstance(inputs, dict) else {}
    outputs = outputs if isinstance(outputs, dict) else {OUTPUT: outputs}
    for prefix in PREFIXES:
        if prefix + "token_ids" not in inputs or prefix + OUTPUT not in outputs:
            continue
        given = {name: inputs[prefix + name] for name in INPUTS if prefix + name in inputs}
        try:
            reader = keras.Model(list(given.values()), outputs[prefix + OUTPUT])
        except ValueError:  # what it says depends on more than these
            break
        if len(reader.output.shape) == 3 and reader.output.shape[-1]:
            return reader, tuple(given)
    takes = ", ".join(sorted(inputs)) or "something else"
    hint = f"{type(backbone).__name__} takes {takes}. Choose another."
    raise ValueError(checks.wrong("text.pretrained", "a model that reads text alone", preset, hint))


def _around(tokenizer, is_half):
    """The ids of the tokens for a start and an end."""
    names = ("start_token_id", "end_token_id")
    ids = (getattr(tokenizer, name, None) for name in names)
    start, end = ([] if i is None else [int(i)] for i in ids)
    # T5's start is its decoder's, and the encoder never saw it: it is the end, too.
    return ([] if is_half and start == end else start), end


def _check_known(preset, names):
    if Path(preset).is_dir() or "://" in preset or preset in names:
        return
    close = difflib.get_close_matches(preset, names, n=1)
    hint = f"Did you mean {close[0]}?" if close else "There is no such folder, and no such name."
    raise FileNotFoundError(checks.wrong("text.pretrained", EXPECTED, preset, hint)) from None


def _explain(preset, error):
    """Raises in one line what keras-hub and its hubs word in their many ways."""
    if str(error).startswith("`text.pretrained`"):
        raise error from None
    if Path(preset).is_dir():
        hint = f"It cannot be read as one ({_first_line(error)})."
        raise ValueError(checks.wrong("text.pretrained", EXPECTED, preset, hint)) from None
    hint = (
        f"It could not be fetched ({_first_line(error)}). Is there a connection, and the right "
        "to read it? A folder of the preset needs neither."
    )
    raise OSError(checks.wrong("text.pretrained", EXPECTED, preset, hint)) from None


def _first_line(error):
    lines = str(error).split("\n")
    return checks.one_line(lines[0].partition(". ")[0].rstrip(".:"), 160)
