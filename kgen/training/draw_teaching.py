"""A smaller G taught to draw as a trained one does, before D sees what it draws.

Its pictures are blurred then, but each caption and noise have their places and colours: learned in
a fraction of the steps that D needs to teach them, and each of those takes several times as long.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from kgen.training.losses import laplacian_loss
from kgen.training.progress import Progress

BATCH_SIZE = 32
RATE = 1e-3


def teach_drawing(
    networks: tuple[keras.Model, keras.Model],
    teacher: Callable,
    token_ids: Sequence[np.ndarray],
    steps: int,
    seed: int,
    progress: bool = True,
) -> None:
    """Teaches G to draw what a teacher draws of the same captions and noise.

    Args:
        networks: T, which stays as it is, and G.
        teacher: From `teacher_of`.
        token_ids: N arrays int32 (K_i, L), the ids of each picture's captions.
        steps: Steps, of 32 pictures each.
        seed: Of the captions' order and the noise.
        progress: Whether to show a bar.

    Source: Chang & Lu 2020 (TinyGAN), section 3.2, whose distance of pixels comes first here, and
        alone.
    """
    t, g = networks
    captions = np.concatenate(token_ids)
    rng = np.random.default_rng(seed)
    order = rng.integers(0, len(captions), steps * BATCH_SIZE)
    size = g.input["noise"].shape[1]

    def task(step, ids):
        noise = tf.random.stateless_normal((BATCH_SIZE, size), (seed, tf.cast(step, tf.int32)))
        text = t(ids, training=False)
        given = {name: text[name] for name in g.input if name != "noise"}
        return {**given, "noise": noise}, teacher(ids, noise)

    batches = tf.data.Dataset.from_tensor_slices(captions[order]).batch(BATCH_SIZE)
    batches = batches.enumerate().map(task).prefetch(tf.data.AUTOTUNE)
    learner = keras.Model(g.input, g.output)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    learner.compile(keras.optimizers.Adam(rate), loss=laplacian_loss)
    bars = [Progress(steps, BATCH_SIZE)] if progress else []
    learner.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=bars)
