"""Moving averages of weights."""

from keras import ops


def warm_decay(decay, step):
    """Decay that starts low, so that the first weights are soon forgotten.

    Formula:
        min(decay, (1 + step) / (10 + step))

    Args:
        decay: float in [0, 1].
        step: Steps taken so far.

    Returns:
        float32 (), in [0, 1].

    Source: `tf.train.ExponentialMovingAverage`, argument `num_updates`.
    """
    step = ops.cast(step, "float32")
    return ops.minimum(decay, (1 + step) / (10 + step))


def update_average(averages, variables, decay):
    """Moves every average towards its variable.

    Formula:
        a ← a + (1 - decay) (v - a)

    Args:
        averages: Variables to change.
        variables: As many variables, in the same order.
        decay: float32 (), in [0, 1].
    """
    for average, variable in zip(averages, variables, strict=True):
        average.assign_add((1 - decay) * (ops.convert_to_tensor(variable) - average))
