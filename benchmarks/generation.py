"""How long one picture takes, caption included."""

import functools
import time

import numpy as np

from benchmarks.machine import median_seconds
from kgen.model_folder import build_model
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.presets import preset_config
from kgen.text.vocabulary import learn_vocabulary

CAPTIONS = ["a quiet night at the sea, the moon on the left, two boats", "美丽的日落景象"]


def measure(repeats: int = 100) -> dict[str, float]:
    """Times one picture of `scenes_64`, warm; weights are random, as they change no time.

    Returns:
        Median milliseconds from token ids and noise to an image: `traced_ms` through the traced
        function, `compiled_ms` with XLA, `predict_ms` through Keras' `predict`.
    """
    config = preset_config("scenes_64")
    vocabulary = learn_vocabulary(CAPTIONS, config.text.vocabulary_size)
    model = build_model(config, len(vocabulary))
    painters = {
        "traced_ms": TextToImage(config, vocabulary, model),
        "compiled_ms": TextToImage(config, vocabulary, model, jit_compile=True),
    }
    token_ids = painters["traced_ms"].tokenizer(CAPTIONS[:1])
    noise = sample_noise(1, config.networks.noise_dim, seed=0)
    figures = {}
    for name, painter in painters.items():
        draw = functools.partial(painter.generate_images, token_ids, noise)
        median_seconds(draw, 10)  # traces, compiles
        figures[name] = 1e3 * median_seconds(draw, repeats)
    times = []
    for _ in range(10):
        began = time.perf_counter()
        model.predict({"token_ids": token_ids, "noise": noise}, verbose=0)
        times.append(time.perf_counter() - began)
    return figures | {"predict_ms": 1e3 * float(np.median(times))}
