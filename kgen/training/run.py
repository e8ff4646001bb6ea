"""A training run: assembles everything, in one folder.

config.json vocabulary.txt   what the model is
model.weights.h5             averaged T and G: what `generate` and `export` take
checkpoint.weights.h5        all networks, averages and optimizers: what `--resume` takes
checkpoints/                 good ones before it, to go back to
metrics.jsonl tensorboard/   figures
findings.txt                 what went wrong, and what was done
matcher/                     the judge of the validation: what `generate` refines by
pretrained/                  for a pretrained encoder, in place of the vocabulary: its preset
states/                      and what it says of the captions; may be deleted
problems.txt                 rows of the data that were left out, with the reasons
word_vectors.txt             words that started from word vectors, and those that did not
samples/                     grids of pictures with their captions
"""

import os
import warnings
from collections.abc import Iterable
from pathlib import Path

from kgen import checks, files, model_folder
from kgen.checks import ToldWarning
from kgen.config import PRETRAINED, Config
from kgen.data.batches import captions_to_learn_from, make_batches, tokenize_captions
from kgen.data.captioned_pictures import CaptionedPictures, LeftOutWarning
from kgen.data.iterables import pictures_as
from kgen.data.loading import load_pictures
from kgen.matcher import FOLDER as MATCHER
from kgen.model_files import PRETRAINED_TEXT
from kgen.presets import model_folder as trained_model
from kgen.text.pretrained import PretrainedText, load_pretrained
from kgen.text.pretrained_tokenizer import PretrainedTokenizer
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary, read_vocabulary
from kgen.text.word_vectors import check_dimension
from kgen.training import callbacks, checkpoints
from kgen.training.allowed_augmentations import choose_augmentations
from kgen.training.building import build_gan
from kgen.training.findings import WentWrong
from kgen.training.first_embedding import start_from_word_vectors
from kgen.training.precision import with_measured_precision
from kgen.training.progress import Progress
from kgen.training.remembered_states import remember_states
from kgen.training.reports import Reporter
from kgen.training.run_folder import check_folder
from kgen.training.stopping import Stopped, noticed_signals
from kgen.training.swapped_words import swaps_for
from kgen.training.teacher import is_teacher, read_teacher, teach, teacher_of
from kgen.training.transfer import start_from_model
from kgen.training.validation import Validation, held_out_every, matcher_of

CHECKPOINT = checkpoints.LAST
PROBLEMS = "problems.txt"


def train(
    config: Config,
    out: str | os.PathLike,
    resume: bool = False,
    minutes: float | None = None,
    progress: bool = True,
    pictures: CaptionedPictures | Iterable | None = None,
) -> Path:
    """Trains a model in the folder `out`.

    A run that was stopped, in whatever way, goes on with `resume` from its last checkpoint, and
    ends with the weights that it would have had without the stop. At the first SIGINT or SIGTERM
    it finishes the step and writes a checkpoint of it.

    A run whose losses or weights are no longer finite, or whose pictures have collapsed, goes
    back to its last good checkpoint, on with half the rates. All that it finds wrong it says as
    `FindingWarning` and in `findings.txt`.

    Args:
        config: What to train, and how.
        out: The run's folder. New, unless `resume`.
        resume: Whether to go on with the run that lies there (a new one if none does).
        minutes: Time after which to stop, however many steps are left; None: no limit.
        progress: Whether to show a bar on stderr.
        pictures: Pictures to train on, in place of those that `config.data` names; or an iterable
            of pairs (picture, caption) or such, as `from_iterable` takes it.

    Returns:
        The run's folder.

    Raises:
        FileExistsError: There is a run already and `resume` is False.
        ValueError: The run that lies there has another configuration, or the data is unusable;
            as `RunFailed`: the run went wrong more than `training.max_rollbacks` times.
        OSError: There is no room to write, or the data cannot be read any more.
        Stopped: A signal has ended it; a `KeyboardInterrupt`.
    """
    out = Path(out)
    config, of_precision = with_measured_precision(_as_it_is_there(config, out, resume))
    check_folder(config, out, resume)
    if resume and not (out / model_folder.CONFIG).is_file():
        text = f"there is no run in {out} to go on with: a new one begins"
        warnings.warn(text, ToldWarning, stacklevel=2)
    for folder in (out, out / "samples", out / checkpoints.KEPT):
        files.remove_unfinished(folder)
    there = checkpoints.Checkpoints(out, config.training.kept_checkpoints).exist()
    pretrained = _pretrained(config, out)
    start_from = "" if there else config.training.start_from
    if start_from:  # before the data is read
        start_from = trained_model(start_from)
    teacher = read_teacher(config) if config.training.teacher else None
    word_vectors = "" if there else config.data.word_vectors
    if word_vectors:  # before the data is read
        check_dimension(word_vectors, config.text.embedding_dim)
    if pictures is None:
        pictures = load_pictures(config.data, config.networks.image_size, config.training.seed)
    elif not isinstance(pictures, CaptionedPictures):
        pictures = pictures_as(config.data, pictures, config.networks.image_size)
    num_told = _tell_problems(pictures, out / PROBLEMS)
    if pretrained:
        vocabulary = pretrained.vocabulary
        tokenizer = PretrainedTokenizer(pretrained, config.text.caption_length)
    else:
        vocabulary = teacher.vocabulary if teacher else _vocabulary(config, out, resume, pictures)
        tokenizer = CaptionTokenizer.from_config(vocabulary, config.text)
    token_ids = tokenize_captions(tokenizer, pictures.captions)
    augmentations, told = choose_augmentations(
        config.training,
        captions_to_learn_from(pictures.captions),
        len(pictures),
        config.networks.pixel_size,
    )
    validation, lines = _validation(config, out, pictures, token_ids)
    told = [*of_precision, *told, *lines]
    states = remember_states(pretrained, token_ids, out, progress) if pretrained else None
    swaps = swaps_for(config.training, token_ids, vocabulary)
    imitated = teacher_of(teacher) if teacher else None
    gan = build_gan(config, len(vocabulary), augmentations, states, swaps, imitated)
    if start_from:
        start_from_model(gan, vocabulary, start_from, token_ids)
    if word_vectors:
        start_from_word_vectors(gan, vocabulary, word_vectors, out)
    # Other first weights than the teacher's are of a T and a G that are used to each other.
    if teacher and not there and (not start_from or is_teacher(config, start_from)):
        told.append(teach(gan, config, token_ids, progress))
    model = model_folder.build_model(config, len(vocabulary), pretrained=pretrained)
    reporter = Reporter(config, out, model, pictures, token_ids, gan, validation)
    if not there:  # what the weights are of: before the first of them
        model_folder.write_about(out, config, vocabulary, pretrained)
    reporter.begin()
    if there:  # only once its checkpoint has been found good is anything in the run changed
        model_folder.write_about(out, config, vocabulary, pretrained)
    with noticed_signals() as notice:
        stop = callbacks.StopAt(
            config.training.steps, None if minutes is None else 60 * minutes, notice
        )
        try:
            while _goes_on(gan, stop, notice):
                try:
                    _fit(gan, pictures, token_ids, config.training, reporter, stop, progress, told)
                except WentWrong as wrong:
                    reporter.go_back(wrong)
        finally:
            _tell_problems(pictures, out / PROBLEMS, num_told)  # of pictures decoded since
    step = int(gan.steps_taken)
    if notice.number is not None and step < config.training.steps:
        raise Stopped(notice.number, step)
    return out


def _as_it_is_there(config, out, resume):
    """With the precision that was found when the run began, on whatever machine it goes on."""
    if config.training.precision != "auto" or not resume:
        return config
    there = out / model_folder.CONFIG
    found = Config.read(there).training.precision if there.is_file() else "auto"
    return config.updated({"training": {"precision": found}})


def _goes_on(gan, stop, notice):
    return int(gan.steps_taken) < stop.step and notice.number is None and not stop.is_late()


def _fit(gan, pictures, token_ids, training, reporter, stop, progress, told):
    """Trains from the step at which the weights are until something ends it."""
    step = int(gan.steps_taken)
    bar = Progress(
        training.steps,
        training.batch_size,
        stop.seconds,
        "\n".join([_title(pictures, token_ids, step, training, stop.seconds), *told]),
    )
    held_out = reporter.validation.every if reporter.validation else 0
    report = callbacks.Report(reporter, training.report_interval, stop.notice)
    try:
        gan.fit(
            make_batches(pictures, token_ids, training.batch_size, training.seed, step, held_out),
            steps_per_epoch=training.steps - step,
            shuffle=False,
            verbose=0,
            callbacks=[stop, reporter.figures, report, *([bar] if progress else [])],
        )
    except Exception as error:
        failure = getattr(pictures.pixels, "failure", None)
        if failure is None or isinstance(error, WentWrong):
            raise
        if isinstance(failure, ValueError):  # too many bad rows: no disk is to blame
            raise failure from None
        told = " ".join(str(failure).split()).rstrip(".")
        raise OSError(
            f"{told}. Training stopped after step {int(gan.steps_taken)}. Once the data can be "
            "read again, go on from the last checkpoint with --resume."
        ) from None
    finally:
        bar.close()


def _validation(config, out, pictures, token_ids):
    """What validates the run, if anything, and lines that say so."""
    metric = config.training.validation
    if not metric:
        return None, []
    every = held_out_every(len(pictures))
    if not every:
        return None, [
            f"kgen: validation is off: {len(pictures)} pictures are too few to hold any out"
        ]
    judged = metric != "detail"
    if judged and not (out / MATCHER).is_dir():
        told = "training the judge of the validation; some minutes"
        warnings.warn(told, ToldWarning, stacklevel=3)
    matcher = matcher_of(out, pictures, every) if judged else None
    validation = Validation(matcher, pictures, token_ids, every, config.networks.noise_dim, metric)
    num = len(validation.captions)
    return validation, [f"kgen: {num} pictures are held out; {metric} on them tells the best"]


def _title(pictures, token_ids, step, training, seconds):
    limit = "" if seconds is None else f" or for {seconds / 60:g} minutes"
    return (
        f"kgen: {len(pictures)} pictures, {sum(map(len, token_ids))} captions; from step {step} "
        f"to step {training.steps}{limit}, {training.batch_size} pictures each. The first step "
        "takes up to a minute"
    )


def _tell_problems(pictures, path, num_told=0):
    """Writes the rows that were left out, and warns where there are more than were told of."""
    problems = list(pictures.problems)
    if len(problems) > num_told:
        files.write_text(path, "".join(line + "\n" for line in problems))
        warnings.warn(
            f"{len(problems)} of {len(pictures) + len(problems)} rows were left out, as {path} "
            f"says; the {'next' if num_told else 'first'}: {problems[num_told]}",
            LeftOutWarning,
            stacklevel=3,
        )
    return len(problems)


def _pretrained(config: Config, out: Path) -> PretrainedText | None:
    """The run's own copy of its text model, once it has one."""
    if config.text.encoder != PRETRAINED:
        return None
    if config.data.word_vectors:
        raise ValueError(
            checks.wrong(
                "data.word_vectors",
                f"empty where text.encoder is {PRETRAINED}",
                config.data.word_vectors,
                "A pretrained text model has its own.",
            )
        )
    there = out / PRETRAINED_TEXT
    pretrained = load_pretrained(there if there.is_dir() else config.text.pretrained)
    pretrained.check_length(config.text.caption_length)
    return pretrained


def _vocabulary(config, out, resume, pictures):
    path = out / model_folder.VOCABULARY
    if resume and path.is_file():
        return read_vocabulary(path)
    captions = captions_to_learn_from(pictures.captions)
    return learn_vocabulary(captions, config.text.vocabulary_size, config.text.segmentation)
