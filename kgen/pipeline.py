"""From captions to pixels."""

import os
from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf

from kgen import checks
from kgen.config import Config
from kgen.model_folder import read_model, write_model
from kgen.pictures import to_pixels
from kgen.postprocess.post_process import PostProcess, with_post_processing
from kgen.presets import model_folder
from kgen.text.tokenizer import CaptionTokenizer


def sample_noise(num_pictures: int, noise_dim: int, seed: int) -> np.ndarray:
    """Noise of which picture i's depends on seed + i alone, so that each can be drawn again alone.

    Args:
        num_pictures: B.
        noise_dim: Z.
        seed: At least 0.

    Returns:
        float32 (B, Z), N(0, 1).

    Example:
        >>> bool((sample_noise(3, 4, seed=5)[1] == sample_noise(1, 4, seed=6)[0]).all())
        True
    """
    rows = [np.random.default_rng(seed + i).standard_normal(noise_dim) for i in range(num_pictures)]
    return np.asarray(rows, dtype=np.float32).reshape(num_pictures, noise_dim)


class TextToImage:
    """A trained model with its tokenizer.

    Args:
        config: The model's configuration.
        vocabulary: Its wordpieces.
        model: T and G joined, from `build_model`.
        hash: Names the exact weights; empty if unknown.
        jit_compile: Whether XLA compiles the drawing: seconds once for each batch size, then some
            three quarters of the time for one picture.
        post: What every image goes through after G, such as `denoise,color=1.2`; empty: nothing.
            Exports do it, too; `save` does not keep it.

    Raises:
        ValueError: `post` names what is no operation, or a strength out of its range.

    Example:
        painter = kgen.TextToImage.from_preset("scenes_64")
        pixels = painter.generate(["美丽的日落景象", "a snowy night"], seed=7)
    """

    def __init__(
        self,
        config: Config,
        vocabulary: Sequence[str],
        model: keras.Model,
        hash: str = "",
        jit_compile: bool = False,
        post: str | PostProcess = "",
    ):
        self.config = config
        self.vocabulary = tuple(vocabulary)
        self.post = PostProcess.parse(post)
        self._unprocessed, self._jit_compile = model, jit_compile
        self.model = model = with_post_processing(model, self.post)
        self.hash = hash
        self._others: dict[str, TextToImage] = {}  # by their post-processing
        self.tokenizer = CaptionTokenizer.from_config(self.vocabulary, config.text)
        # A traced function: Keras' `predict` takes ten times as long for one picture.
        self._draw = tf.function(
            lambda ids, noise: model({"token_ids": ids, "noise": noise}, training=False),
            input_signature=(
                tf.TensorSpec((None, config.text.caption_length), tf.int32),
                tf.TensorSpec((None, config.networks.noise_dim), tf.float32),
            ),
            jit_compile=jit_compile,
        )

    @classmethod
    def from_preset(
        cls, name_or_run: str | os.PathLike, jit_compile: bool = False
    ) -> "TextToImage":
        """Loads a trained preset by its name, or a run by its folder.

        Args:
            name_or_run: The name or the folder.
            jit_compile: Whether XLA compiles the drawing.

        Raises:
            FileNotFoundError: There is no such preset or folder.
            ValueError: The folder's files do not hold a model.
        """
        found = read_model(model_folder(os.fspath(name_or_run)))
        return cls(found.config, found.vocabulary, found.model, found.hash, jit_compile)

    @property
    def image_size(self) -> int:
        """Height and width of a picture, in pixels, after post-processing."""
        return self.config.networks.image_size * self.post.scale

    def with_post(self, post: str | PostProcess) -> "TextToImage":
        """The same model with this post-processing in place of its own.

        Args:
            post: Such as `denoise,color=1.2`; empty: none.

        Raises:
            ValueError: It names what is no operation, or a strength out of its range.
        """
        post = PostProcess.parse(post)
        if post == self.post:
            return self
        if str(post) not in self._others:  # kept, since each traces its function anew
            self._others[str(post)] = TextToImage(
                self.config, self.vocabulary, self._unprocessed, self.hash, self._jit_compile, post
            )
        return self._others[str(post)]

    def generate(
        self,
        captions: str | Sequence[str],
        seed: int = 0,
        post: str | PostProcess | None = None,
    ) -> np.ndarray:
        """Draws one picture for each caption.

        Args:
            captions: B captions, or one.
            seed: At least 0. Picture i is drawn from noise of seed + i.
            post: Post-processing, as for `with_post`; None: the painter's own.

        Returns:
            uint8 (B, H, W, 3), in [0, 255].

        Raises:
            TypeError: `captions` are not strings.
            ValueError: `seed` is negative, or `post` names what is no operation.
        """
        if post is not None:
            return self.with_post(post).generate(captions, seed)
        if not isinstance(captions, (str, Iterable)):
            hint = "Pass a list of sentences."
            raise TypeError(checks.wrong("captions", "strings", captions, hint))
        captions = [captions] if isinstance(captions, str) else list(captions)
        for caption in captions:
            if not isinstance(caption, str):
                raise TypeError(
                    checks.wrong("captions", "strings", caption, "Pass a list of sentences.")
                )
        checks.check_int("seed", seed, 0)
        if not captions:  # oneDNN's fused convolutions get the channels of an empty batch wrong
            return np.zeros((0, self.image_size, self.image_size, 3), np.uint8)
        noise = sample_noise(len(captions), self.config.networks.noise_dim, seed)
        return to_pixels(self.generate_images(self.tokenizer(captions), noise).numpy())

    def generate_images(self, token_ids, noise) -> tf.Tensor:
        """y = G(z, T(x)), post-processed, for token ids int32 (B, L) and noise float32 (B, Z):
        float32 (B, H, W, 3), in [-1, 1].
        """
        return self._draw(token_ids, noise)

    def save(self, folder: str | os.PathLike, dtype: str = "float32") -> None:
        """Writes configuration, vocabulary and weights, to be read by `from_preset`.

        Args:
            folder: Made if need be.
            dtype: `float32`, or `float16` for half the size.
        """
        write_model(folder, self.config, self.vocabulary, self._unprocessed, dtype)
