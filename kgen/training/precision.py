"""In which precision a run computes: what there is, and what is fastest on this machine."""

import dataclasses
import time

import numpy as np
import tensorflow as tf

from kgen.config import Config

# float16 needs loss scaling, and may leave out steps: to be asked for by name.
OFFERED = ("float32", "bfloat16")
LEAST_GAIN = 1.15  # of whole steps less than of convolutions, so that near a tie float32 is better
BATCH, SIZE, CHANNELS, ROUNDS = 16, 32, 64, 7


def with_measured_precision(config: Config) -> tuple[Config, list[str]]:
    """`config` with a precision in place of `auto`, and a line that says why.

    A convolution like those of G and D is timed in each, forward and backward, in turns, for less
    than a second.
    """
    if config.training.precision != "auto":
        return config, []
    rates = {name: 1 / seconds for name, seconds in _seconds_of_convolutions().items()}
    gain = rates["bfloat16"] / rates["float32"]
    chosen = "bfloat16" if gain >= LEAST_GAIN else "float32"
    training = dataclasses.replace(config.training, precision=chosen)
    told = f"kgen: {chosen}, since convolutions in bfloat16 ran {gain:.1f} times as fast as float32"
    return dataclasses.replace(config, training=training), [told]


def _seconds_of_convolutions() -> dict[str, float]:
    """Median seconds of a convolution's forward and backward pass, by precision."""
    steps = {name: _convolution(name) for name in OFFERED}
    for step in steps.values():
        step()  # traces
    times = {name: [] for name in OFFERED}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            began = time.perf_counter()
            step().numpy()
            times[name].append(time.perf_counter() - began)
    return {name: float(np.median(several)) for name, several in times.items()}


def _convolution(precision):
    x = tf.cast(tf.random.stateless_normal((BATCH, SIZE, SIZE, CHANNELS), (0, 0)), precision)
    w = tf.cast(tf.random.stateless_normal((3, 3, CHANNELS, CHANNELS), (0, 1)), precision)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf.nn.conv2d(tf.nn.conv2d(x, w, 1, "SAME"), w, 1, "SAME")
        of_x, of_w = tape.gradient(y, [x, w])
        return tf.cast(tf.reduce_sum(of_x) + tf.reduce_sum(of_w), tf.float32)

    return step
