"""kgen: captions, in Chinese or English, to pictures in milliseconds."""

import importlib
from importlib import metadata

__version__ = metadata.version("kgen")

# Loaded when first asked for: TensorFlow takes seconds to import, `import kgen` milliseconds.
_PUBLIC = {
    "Config": "kgen.config",
    "TextToImage": "kgen.pipeline",
    "TextToImageGAN": "kgen.training.gan",
    "load_captioned_folder": "kgen.data.folders",
    "preset_config": "kgen.presets",
    "train": "kgen.training.run",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'kgen' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
