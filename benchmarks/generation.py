"""How long one picture takes, caption included."""

import time

import numpy as np

from benchmarks.machine import median_seconds
from kgen.model_folder import build_model
from kgen.pipeline import TextToImage, sample_noise
from kgen.presets import preset_config
from kgen.text.vocabulary import learn_vocabulary

CAPTIONS = ["a quiet night at the sea, the moon on the left, two boats", "美丽的日落景象"]


def measure(repeats: int = 100) -> dict[str, float]:
    """Times one picture of `scenes_64`, warm; weights are random, as they change no time.

    Returns:
        `traced_ms`: median milliseconds from token ids and noise to an image, through the traced
        function; `predict_ms`: the same through Keras' `predict`.
    """
    config = preset_config("scenes_64")
    vocabulary = learn_vocabulary(CAPTIONS, config.text.vocabulary_size)
    painter = TextToImage(config, vocabulary, build_model(config, len(vocabulary)))
    token_ids = painter.tokenizer(CAPTIONS[:1])
    noise = sample_noise(1, config.networks.noise_dim, seed=0)
    for _ in range(10):
        painter.generate_images(token_ids, noise)
    traced = median_seconds(lambda: painter.generate_images(token_ids, noise), repeats)
    times = []
    for _ in range(10):
        began = time.perf_counter()
        painter.model.predict({"token_ids": token_ids, "noise": noise}, verbose=0)
        times.append(time.perf_counter() - began)
    return {"traced_ms": 1e3 * traced, "predict_ms": 1e3 * float(np.median(times))}
