"""Trains the article's model: plain Keras, for some steps or some minutes."""

import os
import warnings
from pathlib import Path

import keras

from kgen import checks, files
from kgen.baselines.batches import training_batch
from kgen.baselines.callbacks import Losses, StopAt
from kgen.baselines.config import BaselineConfig
from kgen.baselines.network import compile_redrawer
from kgen.baselines.redrawer import Redrawer
from kgen.config import MOST_STEPS
from kgen.data.batches import captions_to_learn_from, make_batches, tokenize_captions
from kgen.data.captioned_pictures import CaptionedPictures, LeftOutWarning
from kgen.data.loading import load_pictures
from kgen.text.vocabulary import learn_vocabulary

METRICS = "metrics.jsonl"
REPORT_INTERVAL = 100  # steps; Keras' epochs


def train_baseline(
    config: BaselineConfig,
    out: str | os.PathLike,
    minutes: float | None = None,
    steps: int | None = None,
    pictures: CaptionedPictures | None = None,
) -> Path:
    """Trains the article's model and leaves it in the folder `out`, for `Redrawer.load`.

    It reads the pictures, captions and order of batches that kgen itself would train on. Beside
    the model, `metrics.jsonl` gets a line for each 100 steps: `step`, `seconds` of training, and
    their mean `loss`.

    What is interrupted leaves nothing.

    Args:
        config: What to train, and how.
        out: A new folder, or an empty one.
        minutes: Time after which to stop, from the start of `fit`; None: no limit.
        steps: Steps after which to stop; None: no limit. What comes first ends training.
        pictures: Pictures to train on, H pixels high and wide or a multiple, in place of those
            that `config.data` names.

    Returns:
        The folder.

    Raises:
        FileExistsError: There is something in `out`.
        ValueError: Neither `minutes` nor `steps` is given, the data is unusable, or the loss is
            no longer finite.
        OSError: There is no room to write, or the data cannot be read any more.
    """
    out = Path(out)
    _check_limits(minutes, steps)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        hint = "Train in another folder."
        raise FileExistsError(checks.wrong("out", "a new folder", str(out), hint))
    if pictures is None:
        pictures = load_pictures(config.data, config.read_size, config.seed)
    _check_pictures(pictures, config.image_size)
    captions = captions_to_learn_from(pictures.captions)
    vocabulary = learn_vocabulary(captions, config.vocabulary_size)
    keras.utils.set_random_seed(config.seed)
    redrawer = Redrawer(config, vocabulary)
    stop = StopAt(steps, None if minutes is None else 60 * minutes)
    losses = Losses()
    _fit(redrawer, pictures, [stop, losses])
    redrawer.save(out)
    files.write_text(out / METRICS, "".join(losses.lines()))
    return out


def _check_limits(minutes, steps):
    if minutes is None and steps is None:
        hint = "Say when to stop."
        raise ValueError(checks.wrong("minutes", "given where `steps` is not", None, hint))
    if minutes is not None:
        checks.check_real("minutes", minutes, 0.0, 1e6)
    if steps is not None:
        checks.check_int("steps", steps, 1, MOST_STEPS)


def _check_pictures(pictures, image_size):
    """Refuses pictures of other sizes, and tells of rows that were left out."""
    height, width, _ = pictures.pixels.shape[1:]
    if height != width or height % image_size:
        expected = f"square, {image_size} pixels wide or a multiple"
        hint = "Read them at that size."
        raise ValueError(checks.wrong("pictures", expected, (height, width), hint))
    if pictures.problems:
        told = f"{len(pictures.problems)} rows were left out; the first: {pictures.problems[0]}"
        warnings.warn(told, LeftOutWarning, stacklevel=3)


def _fit(redrawer, pictures, callbacks):
    config = redrawer.config
    token_ids = tokenize_captions(redrawer.tokenizer, pictures.captions)
    batches = make_batches(pictures, token_ids, config.batch_size, config.seed)
    compile_redrawer(redrawer.model, config.learning_rate)
    try:
        redrawer.model.fit(
            batches.map(lambda batch: training_batch(batch, config)),
            epochs=MOST_STEPS,  # callbacks end it
            steps_per_epoch=REPORT_INTERVAL,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
    except Exception as error:
        raise pictures.failure or error from None
