"""The trained model whose pictures a smaller G learns to draw."""

from collections.abc import Callable

from kgen import checks
from kgen.config import PRETRAINED, Config
from kgen.model_folder import ModelFolder, read_model
from kgen.presets import model_folder

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
    for encoder in (found.config.text.encoder, config.text.encoder):
        if encoder == PRETRAINED:
            hint = "Such a model cannot be taught, nor teach."
            raise ValueError(checks.wrong("text.encoder", "one that kgen trains", encoder, hint))
    return found


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
