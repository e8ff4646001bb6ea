"""From captions to pixels."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kgen import checks
from kgen.config import PRECISIONS, Config
from kgen.drawing import Drawing
from kgen.encodings import Encodings
from kgen.matcher import FOLDER as MATCHER
from kgen.matcher import Matcher
from kgen.model_files import read_card
from kgen.model_folder import read_model, write_model
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.postprocess.post_process import PostProcess, with_post_processing
from kgen.presets import model_folder
from kgen.refining import Chosen, Refiner, check_refinement
from kgen.streaming import in_groups
from kgen.text.pretrained import pretrained_of
from kgen.text.pretrained_tokenizer import PretrainedTokenizer
from kgen.text.tokenizer import CaptionTokenizer

AT_ONCE = 64  # pictures; of more, the feature maps only take more memory


class TextToImage:
    """A trained model with its tokenizer.

    It keeps what the encoder gives of the last captions: after a change of the model's weights,
    make another.

    Args:
        config: The model's configuration.
        vocabulary: Its wordpieces.
        model: T and G joined, from `build_model`.
        hash: Names the exact weights; empty if unknown.
        jit_compile: Whether XLA compiles the drawing: seconds once for each batch size, then some
            three quarters of the time for one picture.
        post: What every image goes through after G, such as `denoise,color=1.2`; empty: nothing.
            Exports do it, too; `save` does not keep it.
        matcher: What chooses pictures where `generate` is told to refine them, or the folder that
            it is read from when it is first needed; None: nothing does.
        card: What a trained preset says of itself: its data, licence, credit.

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
        matcher: Matcher | str | os.PathLike | None = None,
        card: Mapping[str, Any] | None = None,
    ):
        self.config = config
        self.vocabulary = tuple(vocabulary)
        self.post = PostProcess.parse(post)
        self._unprocessed, self._jit_compile = model, jit_compile
        self.model = model = with_post_processing(model, self.post)
        self.hash = hash
        self.card = dict(card or {})
        self._refiner = Refiner(self._unprocessed, matcher)
        self._others: dict[str, TextToImage] = {}  # by their post-processing
        pretrained = pretrained_of(model)
        if pretrained:
            self.tokenizer = PretrainedTokenizer(pretrained, config.text.caption_length)
        else:
            self.tokenizer = CaptionTokenizer.from_config(self.vocabulary, config.text)
        self._drawing = Drawing(self._unprocessed, self.post, jit_compile)
        self._encodings = Encodings(lambda captions: self._drawing.encode(self.tokenizer(captions)))

    @classmethod
    def from_preset(
        cls,
        name_or_run: str | os.PathLike,
        jit_compile: bool = False,
        precision: str = "float32",
    ) -> "TextToImage":
        """Loads a trained preset by its name, or a run by its folder.

        Args:
            name_or_run: The name or the folder.
            jit_compile: Whether XLA compiles the drawing.
            precision: Of its arithmetic: `float32`, `bfloat16` or `float16`.

        Raises:
            FileNotFoundError: There is no such preset or folder.
            ValueError: The folder's files do not hold a model, or there is no such precision.
        """
        checks.check_choice("precision", precision, PRECISIONS)
        folder = model_folder(os.fspath(name_or_run))
        found = read_model(folder, precision)
        return cls(
            found.config,
            found.vocabulary,
            found.model,
            found.hash,
            jit_compile,
            matcher=folder / MATCHER,
            card=read_card(folder),
        )

    @property
    def name(self) -> str:
        """The model's name."""
        return self.config.name

    @property
    def precision(self) -> str:
        """Of its arithmetic."""
        return self.generator.get_layer("first").compute_dtype

    @property
    def encoder(self) -> keras.Model:
        """T alone, from `build_encoder`."""
        return self._unprocessed.get_layer("encoder")

    @property
    def generator(self) -> keras.Model:
        """G alone, from `build_generator`, without post-processing."""
        return self._unprocessed.get_layer("generator")

    @property
    def fewest_tokens(self) -> int:
        """Tokens of the shortest caption that it was taught by; 0 if that is unknown."""
        return int(self.card.get("captions", {}).get("fewest_tokens", 0))

    @property
    def matcher(self) -> Matcher | None:
        """What chooses pictures to refine; None where the model came without.

        Raises:
            FileNotFoundError, ValueError: Its folder lacks a file, or a file is damaged.
        """
        return self._refiner.matcher

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
            other = TextToImage(
                self.config,
                self.vocabulary,
                self._unprocessed,
                self.hash,
                self._jit_compile,
                post,
                card=self.card,
            )
            # Neither depends on post-processing.
            other._refiner, other._encodings = self._refiner, self._encodings
            self._others[str(post)] = other
        return self._others[str(post)]

    def generate(
        self,
        captions: str | Sequence[str],
        seed: int = 0,
        post: str | PostProcess | None = None,
        refine: int = 1,
        refine_steps: int = 0,
    ) -> np.ndarray:
        """Draws one picture for each caption, or the best of several.

        Args:
            captions: B captions, or one.
            seed: At least 0. Picture i is drawn from noise of seed + i.
            post: Post-processing, as for `with_post`; None: the painter's own.
            refine: N, pictures of each caption that the model's matcher chooses the best of, in
                [1, 1000]. The first is the one that is drawn without refinement.
            refine_steps: K, steps by which the best one's noise is then moved towards a better
                match, in [0, 1000].

        Returns:
            uint8 (B, H, W, 3), in [0, 255].

        Raises:
            TypeError: `captions` are not strings, or a number is none.
            ValueError: `seed` is negative, `post` names what is no operation, `refine` or
                `refine_steps` is out of its range, or there is no matcher to refine by.
        """
        return self.generate_chosen(captions, seed, post, refine, refine_steps)[0]

    def generate_chosen(
        self,
        captions: str | Sequence[str],
        seed: int = 0,
        post: str | PostProcess | None = None,
        refine: int = 1,
        refine_steps: int = 0,
    ) -> tuple[np.ndarray, list[Chosen]]:
        """`generate`, and what was chosen for each caption: noise, candidate and score.

        Returns:
            Pictures, and as many choices; none where nothing is refined.
        """
        if post is not None:
            painter = self.with_post(post)
            return painter.generate_chosen(captions, seed, None, refine, refine_steps)
        captions = checks.strings("captions", captions)
        checks.check_int("seed", seed, 0)
        check_refinement(refine, refine_steps)
        if not captions:  # oneDNN's fused convolutions get the channels of an empty batch wrong
            return np.zeros((0, self.image_size, self.image_size, 3), np.uint8), []
        chosen = []
        if refine > 1 or refine_steps:
            token_ids = self.tokenizer(captions)
            chosen = self._refiner.choose(captions, token_ids, seed, refine, refine_steps)
            noise = np.stack([of_caption.noise for of_caption in chosen])
        else:
            noise = sample_noise(len(captions), self.config.networks.noise_dim, seed)
        parts = [slice(i, i + AT_ONCE) for i in range(0, len(captions), AT_ONCE)]
        return np.concatenate([self._pixels(captions[p], noise[p]) for p in parts]), chosen

    def stream(self, captions: Iterable[str], seed: int = 0) -> Iterator[np.ndarray]:
        """Draws one picture for each caption, as they are asked for.

        Captions are read and drawn 64 at once; neither they nor pictures are kept. Encodings of the
        last captions are, for when they come again.

        Args:
            captions: As many as there are; there may be no end of them.
            seed: At least 0. Picture i is what `generate` draws of caption i with seed + i.

        Yields:
            uint8 (H, W, 3), in [0, 255].

        Raises:
            TypeError: `captions` are not strings, or `seed` is no whole number. Of a caption that
                is no string it is told when its turn comes.
            ValueError: `seed` is negative.

        Example:
            for picture in painter.stream(open("captions.txt"), seed=7):
                show(picture)
        """
        checks.check_int("seed", seed, 0)
        return self._one_by_one(in_groups(captions, AT_ONCE), seed)

    def _one_by_one(self, groups, seed):
        for group in groups:
            noise = sample_noise(len(group), self.config.networks.noise_dim, seed)
            for picture in self._pixels(group, noise):
                yield picture.copy()  # which, kept, does not keep those drawn beside it
            seed += len(group)

    def _pixels(self, captions, noise):
        """uint8 (B, H, W, 3) of B captions, at least one."""
        return to_pixels(self._drawing.image(noise, self._encodings(captions)).numpy())

    def generate_images(self, token_ids, noise) -> tf.Tensor:
        """y = G(z, T(x)), post-processed, for token ids int32 (B, L) and noise float32 (B, Z):
        float32 (B, H, W, 3), in [-1, 1].
        """
        return self._drawing.image_of_ids(token_ids, noise)

    def save(self, folder: str | os.PathLike, dtype: str = "float32") -> None:
        """Writes configuration, vocabulary, weights and matcher, to be read by `from_preset`.

        Args:
            folder: Made if need be.
            dtype: `float32`, or `float16` for half the size.
        """
        write_model(folder, self.config, self.vocabulary, self._unprocessed, dtype)
        if self.matcher is not None:
            self.matcher.save(Path(folder) / MATCHER, dtype)
