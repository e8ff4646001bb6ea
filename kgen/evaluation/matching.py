"""Does a picture match its caption? Asked of a judge that no generator has learned from.

The judge is learned from the training pictures alone, apart from G, D and T, so a generator can
not have learned to please it. What it says is only as good as what it says of real pictures: give
both.
"""

import keras
import numpy as np

from kgen import checks
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.matcher_learner import build_learner
from kgen.matcher import LONGEST, Matcher, build_matcher
from kgen.networks.matcher import SIZES
from kgen.pictures import to_image
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary
from kgen.text.words_that_matter import MOST_CAPTIONS, says_side

BATCH_SIZE = 128
PICTURES_SEEN = 160_000  # with repetitions; 400 s of one core, at 64 pixels
MOST_EPOCHS = 60
RATE, DECAY = 2e-3, 0.02
SHIFT = 1 / 16  # of the side
TINT = 0.1  # of the range
FORGOTTEN = 0.1  # share of tokens that the caption's side does not see


def train_matcher(
    pictures: CaptionedPictures, epochs: int | None = None, seed: int = 0, size: str = "full"
) -> Matcher:
    """Trains an image-text network on real pictures and their captions.

    The same pictures and seed give the same network, on the same machine. Its text side reads
    wordpieces and single Chinese characters, whatever the judged model reads.

    Args:
        pictures: Real training pictures. Two captions of each are drawn for every epoch, where it
            has so many.
        epochs: Passes over the pictures; None: what makes 160 000 pictures, at most 60. Of a
            larger set so many pictures are seen.
        seed: Fixes first weights, order and changes of the pictures.
        size: `full`, to judge; or `small`, to go with a model.

    Raises:
        TypeError, ValueError: `epochs` is no number of passes, there is no such size, or there
            are fewer than 2 pictures.
    """
    if len(pictures) < 2:
        hint = "A judge learns from what tells pictures apart."
        raise ValueError(checks.wrong("pictures", "2 or more", len(pictures), hint))
    if epochs is not None:
        checks.check_int("epochs", epochs, 1)
    checks.check_choice("size", size, SIZES)
    keras.utils.set_random_seed(seed)
    some = [c for i in _spread(len(pictures), 100_000) for c in pictures.captions[i]]
    vocabulary = _vocabulary_of(some, SIZES[size].vocabulary_size)
    longest = _longest_caption(vocabulary, some)
    matcher = build_matcher(vocabulary, tuple(pictures.pixels.shape[1:]), longest, size)
    batches = _Batches(pictures, matcher.tokenizer, epochs, seed, some)
    learner = build_learner(matcher.of_images, matcher.of_captions, len(vocabulary))
    warm = max(1, len(batches) // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, len(batches) - warm), warmup_target=RATE, warmup_steps=warm
    )
    learner.compile(keras.optimizers.AdamW(rate, weight_decay=DECAY), loss=None)
    learner.fit(batches, verbose=0, shuffle=False)
    return matcher


class _Batches(keras.utils.PyDataset):
    """Batches of pictures with two of each one's captions; passes follow one another."""

    def __init__(self, pictures, tokenizer, epochs, seed, some_captions):
        super().__init__()
        self.pictures, self.tokenizer, self.seed = pictures, tokenizer, seed
        num = len(pictures)
        self.size = min(BATCH_SIZE, max(num // 8, 32), num)  # small sets need steps, too
        seen = epochs * num if epochs else min(MOST_EPOCHS * num, PICTURES_SEEN)
        self.num = seen // self.size
        self.pass_and_order = (-1, None)
        self.flips = sum(map(says_side, some_captions)) <= MOST_CAPTIONS * len(some_captions)

    def __len__(self):
        return self.num

    def __getitem__(self, index):
        rng = np.random.default_rng((self.seed, index))
        some = self.pictures.in_memory(self._rows(index))
        drawn = [rng.permutation(len(of_picture)) for of_picture in some.captions]
        both = []
        for turn in (0, 1):
            captions = [c[d[turn % len(d)]] for c, d in zip(some.captions, drawn)]
            token_ids = self.tokenizer(captions).numpy()
            forgotten = (rng.random(token_ids.shape) < FORGOTTEN) & (token_ids > 0)
            both.append(np.where(forgotten, 1, token_ids).astype(np.int32))
        image = changed_slightly(some.pixels, self.flips, rng)
        return ({"image": image, "token_ids": both[0], "other_token_ids": both[1]},)

    def _rows(self, index):
        """Batch `index` of an endless row of passes, each in another order."""
        per_pass = len(self.pictures) // self.size
        passes, place = divmod(index, per_pass)
        if self.pass_and_order[0] != passes:
            order = np.random.default_rng((self.seed, passes, 1)).permutation(len(self.pictures))
            self.pass_and_order = (passes, order)
        return self.pass_and_order[1][place * self.size : (place + 1) * self.size]


def changed_slightly(pixels: np.ndarray, flips: bool, rng: np.random.Generator) -> np.ndarray:
    """Pictures moved by up to 1/16 of their side, tinted by up to a tenth, mirrored if allowed.

    Args:
        pixels: uint8 (B, H, W, 3).
        flips: Whether half of them may be mirrored: where no caption tells left from right.
        rng: Decides.

    Returns:
        float32 (B, H, W, 3), in [-1.2, 1.2]. What comes into view repeats the edge.
    """
    num, height, width, _ = pixels.shape
    margin = max(1, round(SHIFT * height))
    wide = np.pad(pixels, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="edge")
    moved = np.empty_like(pixels)
    mirrored = rng.random(num) < 0.5 * flips
    for i, (y, x) in enumerate(rng.integers(0, 2 * margin + 1, (num, 2))):
        part = wide[i, y : y + height, x : x + width]
        moved[i] = part[:, ::-1] if mirrored[i] else part
    gain, lift = rng.uniform(-TINT, TINT, (2, num, 1, 1, 3)).astype(np.float32)
    return to_image(moved) * (1 + gain) + lift


def _vocabulary_of(captions, most):
    """Up to `most` tokens, or more where that is too few for all the Chinese characters."""
    try:
        return learn_vocabulary(captions, most)
    except ValueError:
        return learn_vocabulary(captions, SIZES["full"].vocabulary_size)


def _longest_caption(vocabulary, captions):
    """Tokens of the longest caption, in [4, 64]."""
    tokenizer = CaptionTokenizer(vocabulary, LONGEST)
    used = [
        np.count_nonzero(tokenizer(captions[i : i + 1024]).numpy().any(axis=0))
        for i in range(0, len(captions), 1024)
    ]
    return max(4, *used)


def _spread(num, most):
    """Up to `most` of the rows, spread evenly."""
    return np.unique(np.linspace(0, num - 1, min(num, most)).round().astype(int))
