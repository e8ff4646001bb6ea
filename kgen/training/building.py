"""A GAN's three networks and its optimizers, from a configuration."""

from collections.abc import Callable

import keras
import numpy as np

from kgen.config import PRECISIONS, Config
from kgen.networks.discriminator import build_discriminator
from kgen.networks.generator import build_generator
from kgen.text.encoders import build_encoder
from kgen.training.gan import TextToImageGAN
from kgen.training.precision import with_measured_precision


def build_gan(
    config: Config,
    vocabulary_size: int,
    augmentations: tuple[str, ...] = (),
    states: keras.layers.Layer | None = None,
    swaps: np.ndarray | None = None,
    teacher: Callable | None = None,
) -> TextToImageGAN:
    """Builds and compiles T, G and D with fresh weights, fixed by the configuration's seed.

    Source: of the loss scaling, Micikevicius et al. 2018 (Mixed Precision Training), section 3.2.

    Args:
        config: The networks and how they learn.
        vocabulary_size: Number of wordpieces.
        augmentations: Those to use, from `choose_augmentations`.
        states: For a pretrained encoder, what gives its hidden states, from `remember_states`.
        swaps: For `mismatches` "swapped", from `learn_swaps`.
        teacher: What G learns to draw like, from `teacher_of`.
    """
    config, _ = with_measured_precision(config)
    keras.utils.set_random_seed(config.training.seed)
    training, dtype = config.training, PRECISIONS[config.training.precision]
    num_words = vocabulary_size if training.word_weight else 0
    gan = TextToImageGAN(
        encoder=build_encoder(config.text, vocabulary_size, dtype, states=states),
        generator=build_generator(config.networks, config.text, dtype),
        discriminator=build_discriminator(config.networks, config.text, dtype, num_words),
        training=training,
        augmentations=augmentations,
        swaps=swaps,
        teacher=teacher,
    )
    gan.compile(*(_optimizer(rate, training.precision) for rate in
                  (training.generator_rate, training.discriminator_rate)))  # fmt: skip
    return gan


def _optimizer(rate, precision):
    adam = keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.9)
    # The least that float16 holds is 6e-8, and gradients are less.
    return keras.optimizers.LossScaleOptimizer(adam) if precision == "float16" else adam
