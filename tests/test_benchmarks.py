"""The count of operations that the benchmarks divide by."""

from pathlib import Path

import keras
from keras import layers


def test_forward_flop_by_hand(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])
    from benchmarks.training import forward_flop

    image = keras.Input((8, 8, 3))
    h = layers.Conv2D(4, 3, strides=2, padding="same")(image)  # 2·3·3·3·4 at 4·4 places: 3456
    h = layers.Conv2DTranspose(2, 4, strides=2, padding="same")(h)  # 2·4·4·2·4 at 4·4: 4096
    h = layers.Dense(5)(layers.Flatten()(h))  # 2·(8·8·2)·5: 1280
    assert forward_flop(keras.Model(image, h)) == 3456 + 4096 + 1280
