"""The trained model whose pictures a smaller G learns to draw."""

import os
import warnings
from collections.abc import Callable, Sequence

import keras
import numpy as np

from kgen import checks
from kgen.checks import ToldWarning
from kgen.config import PRETRAINED, Config
from kgen.model_folder import ModelFolder, read_model
from kgen.presets import model_folder
from kgen.training.draw_teaching import teach_drawing
from kgen.training.text_teaching import teach_text

# What has to be the same, for the same captions and noise to mean the same picture.
SHARED = (
    ("text", "caption_length"),
    ("text", "segmentation"),
    ("text", "stop_words"),
    ("networks", "image_size"),
    ("networks", "noise_dim"),
)


def read_teacher(config: Config) -> ModelFolder:
    """The model that `config` names as the teacher, in the arithmetic of the run that it teaches.

    Raises:
        FileNotFoundError: There is no such model.
        ValueError: It cannot teach this configuration; the setting is named.
    """
    name = config.training.teacher
    found = read_model(model_folder(name), config.training.precision)
    for section, setting in SHARED:
        theirs, ours = (getattr(getattr(c, section), setting) for c in (found.config, config))
        if theirs != ours:
            hint = f"The teacher {name} has it so."
            raise ValueError(checks.wrong(f"{section}.{setting}", theirs, ours, hint))
    theirs, ours = found.config.text.caption_dim, config.text.caption_dim
    if ours > theirs:
        hint = "T is to say what its teacher's T says."
        raise ValueError(checks.wrong("text.caption_dim", f"at most {theirs}", ours, hint))
    for encoder in (found.config.text.encoder, config.text.encoder):
        if encoder == PRETRAINED:
            hint = "Such a model cannot be taught, nor teach."
            raise ValueError(checks.wrong("text.encoder", "one that kgen trains", encoder, hint))
    return found


def is_teacher(config: Config, folder: str | os.PathLike) -> bool:
    """Whether the teacher that `config` names lies in `folder`, whatever each is called."""
    return os.path.samefile(model_folder(config.training.teacher), folder)


def teach(
    gan: keras.Model, config: Config, token_ids: Sequence[np.ndarray], progress: bool = True
) -> str:
    """Teaches T to read as the teacher's T does, then G to draw what the teacher draws; says how
    well T reads then.

    Args:
        gan: The networks of `config`; T, G and their averages are changed.
        config: Of the run.
        token_ids: N arrays int32 (K_i, L), the ids of each picture's captions.
        progress: Whether to show bars.
    """
    told = config.training
    model = read_model(model_folder(config.training.teacher)).model
    trained = model.get_layer("encoder"), model.get_layer("generator")
    text = "the encoder learns to read as its teacher's does; some minutes"
    warnings.warn(text, ToldWarning, stacklevel=3)
    networks = gan.encoder, gan.generator
    share = teach_text(
        networks, trained, token_ids, told.seed, progress, g_is_fresh=not told.start_from
    )
    if told.taught_steps:
        text = f"the generator learns to draw as its teacher does; {told.taught_steps} quick steps"
        warnings.warn(text, ToldWarning, stacklevel=3)
        steps = told.taught_steps
        teach_drawing(networks, gan.teacher, token_ids, steps, told.seed, progress)
    gan.averaged_encoder.set_weights(gan.encoder.get_weights())
    gan.averaged_generator.set_weights(gan.generator.get_weights())
    return f"kgen: the encoder says {100 * share:.1f} % of what its teacher's says of captions"


def teacher_of(found: ModelFolder) -> Callable:
    """y' = G'(z, T'(t)) of a teacher.

    Args:
        found: From `read_teacher`.

    Returns:
        A function of `token_ids` int32 (B, L) and `noise` float32 (B, Z), to float32
        (B, H, W, 3), in [-1, 1].
    """

    def imitated(token_ids, noise):
        return found.model({"token_ids": token_ids, "noise": noise}, training=False)

    return imitated
