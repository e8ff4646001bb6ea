"""A training run: assembles everything, in one folder.

    config.json vocabulary.txt   what the model is
    model.weights.h5             averaged T and G: what `generate` and `export` take
    checkpoint.weights.h5        all networks, averages and optimizers: what `--resume` takes
    metrics.jsonl tensorboard/   figures
    problems.txt                 rows of the data that were left out, with the reasons
    samples/                     grids of pictures with their captions
"""

import os
import warnings
from pathlib import Path

import keras
import numpy as np

from kgen import checks, files, model_folder
from kgen.config import Config
from kgen.data.batches import make_batches, tokenize_captions
from kgen.data.captioned_pictures import CaptionedPictures, LeftOutWarning
from kgen.data.loading import load_pictures
from kgen.networks.discriminator import build_discriminator
from kgen.networks.generator import build_generator
from kgen.pictures import captioned_grid, save_png, to_pixels
from kgen.text.encoders import build_encoder
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary, read_vocabulary, write_vocabulary
from kgen.training import callbacks
from kgen.training.gan import TextToImageGAN

CHECKPOINT = "checkpoint.weights.h5"
PROBLEMS = "problems.txt"
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
NUM_SAMPLES = 24


def build_gan(config: Config, vocabulary_size: int) -> TextToImageGAN:
    """Builds and compiles T, G and D with fresh weights, fixed by the configuration's seed."""
    keras.utils.set_random_seed(config.training.seed)
    training, dtype = config.training, POLICIES[config.training.precision]
    gan = TextToImageGAN(
        encoder=build_encoder(config.text, vocabulary_size, dtype),
        generator=build_generator(config.networks, config.text, dtype),
        discriminator=build_discriminator(config.networks, config.text, dtype),
        contrastive_weight=training.contrastive_weight,
        diversity_weight=training.diversity_weight,
        penalty_weight=training.penalty_weight,
        penalty_interval=training.penalty_interval,
        average_decay=training.averaging,
        seed=training.seed,
    )
    gan.compile(
        keras.optimizers.Adam(training.generator_rate, beta_1=0.0, beta_2=0.9),
        keras.optimizers.Adam(training.discriminator_rate, beta_1=0.0, beta_2=0.9),
    )
    return gan


def train(
    config: Config,
    out: str | os.PathLike,
    resume: bool = False,
    minutes: float | None = None,
    progress: bool = True,
    pictures: CaptionedPictures | None = None,
) -> Path:
    """Trains a model in the folder `out`.

    A run that was stopped, in whatever way, goes on with `resume` from its last checkpoint, and
    ends with the weights that it would have had without the stop.

    Args:
        config: What to train, and how.
        out: The run's folder. New, unless `resume`.
        resume: Whether to go on with the run that lies there (a new one if none does).
        minutes: Time after which to stop, however many steps are left; None: no limit.
        progress: Whether to show a bar on stderr.
        pictures: Pictures to train on, in place of those that `config.data` names.

    Returns:
        The run's folder.

    Raises:
        FileExistsError: There is a run already and `resume` is False.
        ValueError: The run that lies there has another configuration, or the data is unusable.
    """
    out = Path(out)
    _check_folder(config, out, resume)
    files.remove_unfinished(out)
    if pictures is None:
        pictures = load_pictures(config.data, config.networks.image_size, config.training.seed)
    _tell_problems(pictures, out / PROBLEMS)
    vocabulary = _vocabulary(config, out, resume, pictures)
    tokenizer = CaptionTokenizer.from_config(vocabulary, config.text)
    token_ids = tokenize_captions(tokenizer, pictures.captions)
    gan = build_gan(config, len(vocabulary))
    if (out / CHECKPOINT).is_file():
        gan.load_weights(out / CHECKPOINT)
    step = int(gan.steps_taken)
    files.write_json(out / model_folder.CONFIG, config.to_dict())

    training = config.training
    seconds = callbacks.keep_figures(out / "metrics.jsonl", step)
    write_report = _Reporter(config, out, vocabulary, pictures, token_ids, gan)
    limit = None if minutes is None else 60 * minutes
    around = [
        callbacks.StopAt(training.steps, limit),
        callbacks.Figures(out, training.batch_size, seconds),
        callbacks.Report(write_report),
    ]
    if progress:
        around.append(callbacks.Progress(training.steps, training.batch_size, limit))
    if step < training.steps:
        gan.fit(
            make_batches(pictures, token_ids, training.batch_size, training.seed, step),
            epochs=-(-training.steps // training.report_interval),
            initial_epoch=step // training.report_interval,
            steps_per_epoch=training.report_interval,
            shuffle=False,
            verbose=0,
            callbacks=around,
        )
    return out


class _Reporter:
    """Writes, for a step: the sample grid, the averaged model, and last the checkpoint."""

    def __init__(self, config, out, vocabulary, pictures, token_ids, gan):
        self.config, self.out, self.vocabulary, self.gan = config, out, vocabulary, gan
        self.model = model_folder.build_model(config, len(vocabulary))
        rng = np.random.default_rng(config.training.seed)
        chosen = rng.choice(len(pictures), min(NUM_SAMPLES, len(pictures)), replace=False)
        # Every language in turn, so that the grid shows each.
        which = [n % len(token_ids[i]) for n, i in enumerate(chosen)]
        self.captions = [pictures.captions[i][k] for i, k in zip(chosen, which, strict=True)]
        self.token_ids = np.stack([token_ids[i][k] for i, k in zip(chosen, which, strict=True)])
        size = (len(chosen), config.networks.noise_dim)
        self.noise = rng.standard_normal(size).astype("float32")

    def __call__(self, step):
        self.model.get_layer("encoder").set_weights(self.gan.averaged_encoder.get_weights())
        self.model.get_layer("generator").set_weights(self.gan.averaged_generator.get_weights())
        image = self.model({"token_ids": self.token_ids, "noise": self.noise}, training=False)
        sheet = captioned_grid(to_pixels(np.asarray(image)), self.captions, columns=6)
        save_png(self.out / "samples" / f"step_{step:06d}.png", sheet)
        model_folder.write_weights(self.model, self.out / model_folder.WEIGHTS)
        model_folder.write_weights(self.gan, self.out / CHECKPOINT)


def _check_folder(config, out, resume):
    if not (out / model_folder.CONFIG).is_file():
        return
    if not resume:
        raise FileExistsError(
            checks.wrong("out", "a new folder", str(out), "Pass --resume to go on with its run.")
        )
    there = Config.from_dict(files.read_json(out / model_folder.CONFIG))
    different = _differences(there.to_dict(), config.to_dict())
    if different:
        raise ValueError(
            f"The run in {out} has another configuration: {'; '.join(different)}. "
            "Resume without these options, or train in another folder."
        )


def _differences(there, given, where=""):
    found = []
    for key, old in there.items():
        if isinstance(old, dict):
            found += _differences(old, given[key], f"{where}{key}.")
        elif old != given[key] and where + key != "training.steps":  # a run may be made longer
            found.append(f"{where}{key} is {old!r} there and {given[key]!r} here")
    return found


def _tell_problems(pictures, path):
    if pictures.problems:
        files.write_text(path, "".join(line + "\n" for line in pictures.problems))
        warnings.warn(
            f"{len(pictures.problems)} of {len(pictures) + len(pictures.problems)} rows were left "
            f"out, as {path} says; the first: {pictures.problems[0]}",
            LeftOutWarning,
            stacklevel=3,
        )


def _vocabulary(config, out, resume, pictures):
    path = out / model_folder.VOCABULARY
    if resume and path.is_file():
        return read_vocabulary(path)
    captions = (caption for several in pictures.captions for caption in several)
    vocabulary = learn_vocabulary(
        captions, config.text.vocabulary_size, config.text.segmentation
    )
    write_vocabulary(path, vocabulary)
    return vocabulary
