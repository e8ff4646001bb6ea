"""Names of configurations and of trained models, and where the trained ones lie."""

from pathlib import Path

from kgen import checks
from kgen.config import Config
from kgen.model_files import CONFIG

# For hours: larger batches than the default, which is the best within a quarter of an hour
# (docs/ablations.md).
LONG = {"steps": 40_000, "batch_size": 32, "report_interval": 250, "precision": "auto"}
# What each costs was measured on two CPU cores with AVX512-BF16.
CONFIGS = {
    # Landscapes in English and Chinese, drawn by kgen itself.
    "scenes_64": {
        "training": {
            **LONG,
            "diversity_weight": 8.0,
            "penalty_weight": 0.05,
            "mismatches": "swapped",
        },
        "data": {"num_scenes": 20_000},
    },
    # The same at four times the pixels; its small feature maps are those of scenes_64, so that
    # --from scenes_64 saves most of the time. The trained one had a head start of 500 steps, and
    # its first 4,948 steps with contrastive weight 0.3 and without the cap.
    "scenes_128": {
        "networks": {
            "image_size": 128,
            "width": 8,
            "discriminator_width": 8,
            "most_channels": 128,
        },
        "training": {
            **LONG,
            "steps": 100_000,
            "batch_size": 16,
            "generator_rate": 2e-4,
            "averaging": 0.999,
            "diversity_weight": 8.0,
            "penalty_weight": 0.05,
            "mismatches": "swapped",
            "cap_by_real": True,
        },
        "data": {"num_scenes": 20_000},
    },
    # Game characters, from the pixel art of nouns64.
    "avatars_64": {
        "text": {"caption_length": 40, "caption_dim": 256},
        "networks": {"pixel_size": 2, "width": 32, "most_channels": 128},
        "training": {
            **LONG,
            "batch_size": 64,
            "penalty_weight": 0.03,
            "mismatches": "swapped",
        },
    },
    # Watercolours of fruit, in English and Chinese, from pomology128.
    "fruit_64": {
        "training": LONG,
        "data": {"captions": "text,text_zh"},
    },
    # Game tiles, from the pixel art of dcss64; the trained one had its first 24,500 steps without
    # D's texture look, which costs a fifth of the steps.
    "tiles_64": {
        "text": {"caption_dim": 256},
        "networks": {"pixel_size": 2, "width": 32, "most_channels": 128, "texture_width": 32},
        "training": {
            **LONG,
            "batch_size": 16,
            "penalty_weight": 0.03,
            "augmentations": "translation,cutout",
            "augmentation_probability": 0.4,
            "augmentation_adapts": False,
        },
    },
    # The smallest model that still shows something: for tests and first tries; a minute.
    "scenes_32": {
        "text": {"encoder": "bag", "embedding_dim": 64, "caption_dim": 64},
        "networks": {"image_size": 32, "width": 8, "discriminator_width": 8},
        "training": {
            "steps": 2_000,
            "batch_size": 32,
            "report_interval": 250,
            "generator_rate": 1e-3,
            "discriminator_rate": 1e-3,
            "word_weight": 0.0,
            "averaging": 0.995,
        },
        "data": {"num_scenes": 4_000},
    },
    # Own pictures, one sentence each, at 64 pixels.
    "pictures_64": {
        "text": {"caption_length": 40},
        "training": {"precision": "auto", "augmentations": "small"},
    },
}


def preset_config(name: str) -> Config:
    """The configuration called `name`.

    Raises:
        ValueError: There is none; the nearest name is told.

    Example:
        >>> preset_config("scenes_64").networks.image_size
        64
    """
    checks.check_choice("preset", name, CONFIGS)
    return Config.from_dict({"name": name, **CONFIGS[name]})


def model_folder(name_or_path: str) -> Path:
    """The folder of a trained model: a preset's by its name, or any folder as it is.

    Raises:
        FileNotFoundError: It is neither; the names of the trained presets are told.
    """
    path = Path(name_or_path)
    if path.is_dir():
        return path
    trained = trained_presets()
    if str(name_or_path) in trained:
        return trained[str(name_or_path)]
    if str(name_or_path) in CONFIGS:
        raise FileNotFoundError(
            f"`preset` {name_or_path} is a configuration to train from, and not trained yet. "
            f"Run `kgen train --preset {name_or_path} --out RUN`, then name RUN."
        )
    raise FileNotFoundError(
        checks.wrong(
            "preset",
            "a trained preset or the folder of a run",
            str(name_or_path),
            checks.nearest(str(name_or_path), trained) if trained else "None is installed.",
        )
    )


def trained_presets() -> dict[str, Path]:
    """Names and folders of the trained models that came with kgen."""
    package = Path(__file__).parent
    # Installed, the folder lies inside the package; in a checkout, beside it.
    for folder in (package / "saved_models", package.parent / "saved_models"):
        if folder.is_dir():
            return {p.name: p for p in sorted(folder.iterdir()) if (p / CONFIG).is_file()}
    return {}
