"""The trained model whose pictures a smaller G learns to draw."""

from collections.abc import Callable

import keras

from kgen import checks
from kgen.config import PRETRAINED, Config
from kgen.model_folder import ModelFolder, read_model
from kgen.networks.generator import build_generator
from kgen.networks.text_to_image import build_text_to_image
from kgen.presets import model_folder
from kgen.text.encoders import build_encoder
from kgen.training.precision import POLICIES

# What has to be the same, for the same captions and noise to mean the same picture.
SHARED = (
    ("text", "caption_length"),
    ("text", "segmentation"),
    ("text", "stop_words"),
    ("networks", "image_size"),
    ("networks", "noise_dim"),
)


def read_teacher(config: Config) -> ModelFolder:
    """The model that `config` names as the teacher.

    Raises:
        FileNotFoundError: There is no such model.
        ValueError: It cannot teach this configuration; the setting is named.
    """
    name = config.training.teacher
    found = read_model(model_folder(name))
    for section, setting in SHARED:
        theirs, ours = (getattr(getattr(c, section), setting) for c in (found.config, config))
        if theirs != ours:
            hint = f"The teacher {name} has it so."
            raise ValueError(checks.wrong(f"{section}.{setting}", theirs, ours, hint))
    for encoder in (found.config.text.encoder, config.text.encoder):
        if encoder == PRETRAINED:
            hint = "Such a model cannot be taught, nor teach."
            raise ValueError(checks.wrong("text.encoder", "one that kgen trains", encoder, hint))
    return found


def teacher_of(config: Config, found: ModelFolder) -> Callable:
    """y' = G'(z, T'(t)) of a teacher, in the arithmetic of the run that it teaches.

    Args:
        config: The run's.
        found: From `read_teacher`.

    Returns:
        A function of `token_ids` int32 (B, L) and `noise` float32 (B, Z), to float32
        (B, H, W, 3), in [-1, 1].
    """
    model = _in_precision(found, POLICIES[config.training.precision])

    def imitated(token_ids, noise):
        return model({"token_ids": token_ids, "noise": noise}, training=False)

    return imitated


def _in_precision(found, dtype) -> keras.Model:
    if dtype == "float32":
        return found.model
    encoder = build_encoder(found.config.text, len(found.vocabulary), dtype)
    generator = build_generator(found.config.networks, found.config.text, dtype)
    model = build_text_to_image(encoder, generator)
    model.set_weights(found.model.get_weights())
    return model
