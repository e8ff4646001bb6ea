"""Everything a model and its training are made of, as frozen values with JSON in and out."""

import dataclasses
import os
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kgen import checks, files

ENCODERS = ("bag", "lstm", "bilstm", "transformer")  # all of whose weights are trained
PRETRAINED = "pretrained"
SEGMENTATIONS = ("characters", "words")
# Of arithmetic, with the names of Keras' policies.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
SMALL_SET = 5000  # pictures; see docs/choices.md
DISCRIMINATORS = ("projection", "concatenation")
ATTENTION_SIZES = (8, 16)
PIXEL_SIZES = (1, 2, 4)
PIXEL_SHUFFLES = (1, 2)
ADVERSARIAL_LOSSES = ("hinge", "relativistic")
MISMATCHES = ("none", "one", "all", "swapped")
VALIDATIONS = ("detail", "distance", "match")
PENALTIES = ("r1", "r1_r2", "matching_aware")
AUGMENTATIONS = ("flip", "translation", "crop", "cutout", "colour")
FITS = ("crop", "pad")
IMAGE_SIZES = (32, 64, 128, 256)
MOST_STEPS = 10**9  # steps are counted in int32
MOST_SCENES = 10**6  # they are all in memory: 12 GB at 64 pixels
TYPES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


@dataclass(frozen=True)
class TextConfig:
    """T, from a caption to its vector.

    Attributes:
        encoder: `bag` (mean of embeddings), `lstm`, `bilstm`, `transformer` or `pretrained`.
        caption_length: Tokens a caption is cut or padded to.
        vocabulary_size: Most wordpieces that are learned from the captions.
        embedding_dim: Numbers a token is looked up as.
        caption_dim: C, numbers in the caption vector and in each word vector; a multiple of 4.
        segmentation: Chinese is cut into `characters`, or into `words` learned from the captions.
        stop_words: Whether words that change no picture (the, of, 的, 了) are left out.
        pretrained: For the encoder `pretrained`, which of keras-hub's text models: the folder of
            a preset, or its name on a hub. It has its own vocabulary and embedding.
    """

    encoder: str = "bilstm"
    caption_length: int = 32
    vocabulary_size: int = 4000
    embedding_dim: int = 128
    caption_dim: int = 128
    segmentation: str = "characters"
    stop_words: bool = False
    pretrained: str = ""

    def __post_init__(self):
        checks.check_choice("text.encoder", self.encoder, (*ENCODERS, PRETRAINED))
        checks.check_int("text.caption_length", self.caption_length, 2, 512)
        checks.check_int("text.vocabulary_size", self.vocabulary_size, 8, 100_000)
        checks.check_int("text.embedding_dim", self.embedding_dim, 4, 4096)
        checks.check_int("text.caption_dim", self.caption_dim, 4, 4096)
        checks.check_choice("text.segmentation", self.segmentation, SEGMENTATIONS)
        if self.caption_dim % 4:
            raise ValueError(
                checks.wrong("text.caption_dim", "a multiple of 4", self.caption_dim, "Use 128.")
            )
        self._check_pretrained()

    def _check_pretrained(self):
        if self.encoder != PRETRAINED:
            if self.pretrained:
                hint = f"Or set text.encoder={PRETRAINED}."
                expected = f"empty where text.encoder is {self.encoder}"
                raise ValueError(checks.wrong("text.pretrained", expected, self.pretrained, hint))
            return
        if not self.pretrained:
            hint = "Example: text.pretrained=bert_tiny_en_uncased."
            expected = f"a keras-hub preset where text.encoder is {PRETRAINED}"
            raise ValueError(checks.wrong("text.pretrained", expected, self.pretrained, hint))
        if self.segmentation != "characters" or self.stop_words:
            name = "stop_words" if self.stop_words else "segmentation"
            hint = "A pretrained text model cuts captions in its own way."
            expected = f"left alone where text.encoder is {PRETRAINED}"
            raise ValueError(checks.wrong(f"text.{name}", expected, getattr(self, name), hint))


@dataclass(frozen=True)
class NetworksConfig:
    """G and D.

    Attributes:
        image_size: Height and width of a picture in pixels: 32, 64, 128 or 256.
        noise_dim: Z, numbers in the noise vector.
        width: Channels of G's last block; earlier blocks have up to 8 times as many.
        discriminator_width: Channels of D at full size; its blocks have up to 8 times as many.
        most_channels: Channels of the small feature maps of G and D, at most; 0: 8 times the width.
        discriminator_most_channels: The same of D, where it differs; 0: as `most_channels`.
        word_attention: Whether G attends to the words.
        attention_size: Height and width of the largest feature map that does, in pixels: 8 or 16.
        pixel_size: Height and width of the blocks of one colour that pixel art is made of, in
            pixels: 1, 2 or 4. Above 1 the networks work on blocks, which is more than twice as
            fast, and the pictures' edges are as sharp as the real ones'.
        pixel_shuffle: Height and width of the squares of pixels that G's last convolution gives at
            once from each place of a smaller feature map (Shi et al. 2016): 1 or 2. With 2, G has
            a block less, and where its channels are few takes much less time.
        discriminator: How D joins picture and caption: `projection`, or `concatenation` of the
            caption vector to D's last feature map.
        texture_width: Channels of a second look that D takes at full size, whose mean over the
            picture tells how it is painted: speckle, weave, blur; 0: it takes none.
    """

    image_size: int = 64
    noise_dim: int = 64
    width: int = 16
    discriminator_width: int = 16
    most_channels: int = 0
    discriminator_most_channels: int = 0
    word_attention: bool = True
    attention_size: int = 16
    pixel_size: int = 1
    pixel_shuffle: int = 1
    discriminator: str = "projection"
    texture_width: int = 0

    def __post_init__(self):
        checks.check_int("networks.image_size", self.image_size, 32, 256)
        if self.image_size not in IMAGE_SIZES:
            raise ValueError(
                checks.wrong(
                    "networks.image_size",
                    f"one of {', '.join(map(str, IMAGE_SIZES))}",
                    self.image_size,
                    "Pictures of other sizes are resized to it.",
                )
            )
        if self.pixel_size not in PIXEL_SIZES or self.image_size // self.pixel_size < 16:
            raise ValueError(
                checks.wrong(
                    "networks.pixel_size",
                    f"one of {', '.join(map(str, PIXEL_SIZES))}, and at least 16 blocks a side",
                    self.pixel_size,
                    "Use 1 where the pictures are no pixel art.",
                )
            )
        if self.pixel_shuffle not in PIXEL_SHUFFLES or self.drawn_size < 16:
            expected = "1 or 2, and at least 16 places a side left"
            hint = "Use 1, or 2, which halves the places a side as pixel_size=2 does."
            raise ValueError(
                checks.wrong("networks.pixel_shuffle", expected, self.pixel_shuffle, hint)
            )
        if self.attention_size not in ATTENTION_SIZES:
            raise ValueError(
                checks.wrong("networks.attention_size", "8 or 16", self.attention_size, "Use 16.")
            )
        checks.check_choice("networks.discriminator", self.discriminator, DISCRIMINATORS)
        checks.check_int("networks.noise_dim", self.noise_dim, 1, 4096)
        checks.check_int("networks.width", self.width, 2, 512)
        checks.check_int("networks.most_channels", self.most_channels, 0, 4096)
        checks.check_int("networks.discriminator_width", self.discriminator_width, 2, 512)
        most = self.discriminator_most_channels
        checks.check_int("networks.discriminator_most_channels", most, 0, 4096)
        checks.check_int("networks.texture_width", self.texture_width, 0, 512)

    @property
    def drawn_size(self) -> int:
        """Height and width of G's last feature map."""
        return self.image_size // (self.pixel_size * self.pixel_shuffle)


@dataclass(frozen=True)
class TrainingConfig:
    """The loop around G and D.

    Attributes:
        steps: Steps (one of D, one of G) after which training ends.
        batch_size: Pictures in a step.
        generator_rate: Adam's learning rate for G.
        discriminator_rate: Adam's learning rate for D and T.
        contrastive_weight: Weight of the image-text contrastive loss, for D and for G.
        diversity_weight: Weight of the diversity loss, which asks that other noise gives another
            picture of the same caption; 0 leaves it out.
        word_weight: Weight of the word loss: D learns to tell the words of a picture's caption
            from the picture, and G to draw what D tells them from.
        cap_by_real: Whether G's contrastive and word losses count only above those of the real
            pictures of the same captions. Only where `swapped_share` is 0.
        loss: `hinge`, or `relativistic`, where D compares each real picture with a generated one.
        mismatches: Wrong captions that D rejects beside each real picture: `none`; `one` of another
            picture, or `all` of the batch's; or `swapped`, one of another picture and its own with
            another word in one's place ("three birds" for "two birds"), which teaches numbers
            and near shades.
        swapped_share: Share of the generated pictures that are drawn for captions with a swapped
            word, so that G learns combinations that no picture of the set shows; in [0, 1]. Above
            0 only where `mismatches` is `swapped`.
        penalty: What keeps D smooth: `r1` (at real pictures), `r1_r2` (at generated ones, too),
            or `matching_aware` (at real pictures and their caption vectors).
        penalty_weight: γ of R1 and R2, or k of the matching-aware penalty.
        penalty_interval: Steps between two evaluations of the penalty.
        lecam_weight: Weight of the LeCam regularisation of D, for small sets; 0 leaves it out. With
            300 pictures 0.3 did harm (docs/ablations.md).
        augmentations: What D's pictures are changed by, real and generated alike: names out of
            flip, translation, crop, cutout, colour, separated by commas; `auto` for all that the
            captions allow; `small` for the same where pictures are fewer than 5000; empty for
            none.
        augmentation_probability: Chance that a picture is changed by each of them; where it
            adapts, the most that it may reach.
        augmentation_adapts: Whether the chance follows how far D overfits.
        averaging: Decay of G's and T's moving average, per step.
        start_from: Trained model whose weights are the first ones, where they fit: a preset's name
            or a run's folder; empty: fresh ones.
        teacher: Trained model whose pictures G learns to draw, of the same captions and noise,
            beside what D teaches it, and whose encoder T learns to read like, before: a preset's
            name or a run's folder; empty: none.
        taught_steps: Steps in which G learns from the teacher's pixels alone, at a run's start,
            before D sees what it draws. They are quick, and its own steps then begin with
            everything in its place.
        pixel_weight: Weight of the distance from the teacher's pixels, in means of 4 x 4.
        feature_weight: Weight of the distance from the teacher's pictures in what D sees at every
            size.
        head_start: Steps in which D learns alone, for a G and T that are trained and a D that is
            not, as with `start_from` a preset: an untrained D would lead them astray.
        text_held: Whether T stays as it is while D and G learn: one that has learned to read as a
            teacher's does (`teacher`) forgets some of it else.
        precision: Of the networks' arithmetic: `float32`, `bfloat16`, or `float16`, whose losses
            are scaled; weights, losses and penalties are float32 always. `auto`: bfloat16 where a
            measurement at the run's start finds it faster, else float32.
        report_interval: Steps between two reports: figures, samples, checkpoint.
        validation: What tells which weights are best, at every report, on a tenth of the pictures
            (at most 512) that are held out: `detail`, how near their fine structure comes to real
            ones'; `distance` to real ones or `match` of the captions, both by a judge that is
            trained at the beginning; empty: the last weights are kept.
        kept_checkpoints: Checkpoints kept beside the last, to go back to.
        max_rollbacks: Times that a run which went wrong goes back to its last good checkpoint and
            on with half the rates, before it ends.
        seed: Fixes first weights, noise and the order of pictures.
    """

    steps: int = 160_000
    batch_size: int = 8
    generator_rate: float = 4e-4
    discriminator_rate: float = 4e-4
    contrastive_weight: float = 1.0
    diversity_weight: float = 0.0
    word_weight: float = 1.0
    cap_by_real: bool = False
    loss: str = "hinge"
    mismatches: str = "one"
    swapped_share: float = 0.0
    penalty: str = "r1"
    penalty_weight: float = 1.0
    penalty_interval: int = 16
    lecam_weight: float = 0.0
    augmentations: str = ""
    augmentation_probability: float = 0.8
    augmentation_adapts: bool = True
    averaging: float = 0.998
    start_from: str = ""
    teacher: str = ""
    taught_steps: int = 0
    pixel_weight: float = 10.0
    feature_weight: float = 0.3
    head_start: int = 0
    text_held: bool = False
    precision: str = "float32"
    report_interval: int = 1000
    validation: str = ""
    kept_checkpoints: int = 2
    max_rollbacks: int = 2
    seed: int = 0

    def __post_init__(self):
        checks.check_int("training.steps", self.steps, 1, MOST_STEPS)
        checks.check_int("training.batch_size", self.batch_size, 2, 4096)
        checks.check_int("training.penalty_interval", self.penalty_interval, 1, MOST_STEPS)
        checks.check_int("training.head_start", self.head_start, 0, MOST_STEPS)
        checks.check_int("training.taught_steps", self.taught_steps, 0, MOST_STEPS)
        checks.check_int("training.report_interval", self.report_interval, 1, MOST_STEPS)
        checks.check_int("training.seed", self.seed, 0, 2**31 - 1)
        checks.check_real("training.generator_rate", self.generator_rate, 0.0, 1.0)
        checks.check_real("training.discriminator_rate", self.discriminator_rate, 0.0, 1.0)
        checks.check_real("training.contrastive_weight", self.contrastive_weight, 0.0, 1e6)
        checks.check_real("training.diversity_weight", self.diversity_weight, 0.0, 1e6)
        checks.check_real("training.penalty_weight", self.penalty_weight, 0.0, 1e6)
        checks.check_real("training.word_weight", self.word_weight, 0.0, 1e6)
        checks.check_real("training.lecam_weight", self.lecam_weight, 0.0, 1e6)
        checks.check_real("training.pixel_weight", self.pixel_weight, 0.0, 1e6)
        checks.check_real("training.feature_weight", self.feature_weight, 0.0, 1e6)
        checks.check_choice("training.loss", self.loss, ADVERSARIAL_LOSSES)
        checks.check_choice("training.mismatches", self.mismatches, MISMATCHES)
        checks.check_real("training.swapped_share", self.swapped_share, 0.0, 1.0)
        if self.swapped_share and self.mismatches != "swapped":
            expected = f"0 where training.mismatches is {self.mismatches}"
            hint = "Or set training.mismatches=swapped."
            raise ValueError(
                checks.wrong("training.swapped_share", expected, self.swapped_share, hint)
            )
        if self.cap_by_real and self.swapped_share:  # no real picture shows a swapped caption
            hint = "Or set training.swapped_share=0."
            expected = f"false where training.swapped_share is {self.swapped_share:g}"
            raise ValueError(checks.wrong("training.cap_by_real", expected, True, hint))
        checks.check_choice("training.penalty", self.penalty, PENALTIES)
        checks.check_real("training.averaging", self.averaging, 0.0, 1.0)
        checks.check_real("training.augmentation_probability", self.augmentation_probability, 0, 1)
        checks.check_choice("training.precision", self.precision, (*PRECISIONS, "auto"))
        if self.validation:
            checks.check_choice("training.validation", self.validation, VALIDATIONS)
        checks.check_int("training.kept_checkpoints", self.kept_checkpoints, 0, 1000)
        checks.check_int("training.max_rollbacks", self.max_rollbacks, 0, 1000)
        if self.augmentations not in ("auto", "small"):
            for name in self.augmentation_names():
                if name not in AUGMENTATIONS:
                    hint = checks.nearest(name, (*AUGMENTATIONS, "auto", "small"))
                    expected = "auto, small, or names separated by commas"
                    raise ValueError(checks.wrong("training.augmentations", expected, name, hint))

    def augmentation_names(self) -> tuple[str, ...]:
        """The names in `augmentations`; all that there are for `auto` and `small`."""
        if self.augmentations in ("auto", "small"):
            return AUGMENTATIONS
        return tuple(name.strip() for name in self.augmentations.split(",") if name.strip())


@dataclass(frozen=True)
class DataConfig:
    """Which captioned pictures are read.

    Attributes:
        path: Captioned pictures: a folder, a zip, shards; empty for the procedural scenes.
        captions: Caption columns, comma-separated; one is drawn per picture and epoch.
        num_scenes: Pictures drawn when `path` is empty.
        fit: How a picture becomes a square: `crop` to its middle, or `pad` with the background.
        background: What lies behind transparent and padded pictures: a name or #rrggbb.
        max_bad_share: Share of unusable rows above which training does not start, in [0, 1].
        word_vectors: File of word vectors that the embedding starts from; empty for none.
    """

    path: str = ""
    captions: str = "text"
    num_scenes: int = 12_000
    fit: str = "crop"
    background: str = "white"
    max_bad_share: float = 0.5
    word_vectors: str = ""

    def __post_init__(self):
        checks.check_choice("data.fit", self.fit, FITS)
        checks.check_real("data.max_bad_share", self.max_bad_share, 0, 1)
        checks.check_int("data.num_scenes", self.num_scenes, 1, MOST_SCENES)


@dataclass(frozen=True)
class Config:
    """A model and its training, whole.

    Example:
        >>> config = Config.from_dict({"name": "mine", "networks": {"image_size": 32}})
        >>> config.networks.image_size, config.text.encoder
        (32, 'bilstm')
        >>> Config.from_dict(config.to_dict()) == config
        True
    """

    name: str = "kgen"
    text: TextConfig = field(default_factory=TextConfig)
    networks: NetworksConfig = field(default_factory=NetworksConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    data: DataConfig = field(default_factory=DataConfig)

    def __post_init__(self):
        if self.networks.discriminator != "projection":
            hint = "Use the projection discriminator."
            self._refuse_mismatches("networks.discriminator", ("all", "swapped"), hint)
        if self.text.encoder == PRETRAINED:
            hint = "Its states are kept for the set's own captions, which a swap leaves."
            self._refuse_mismatches("text.encoder", ("swapped",), hint)

    def _refuse_mismatches(self, key, refused, hint):
        mismatches = self.training.mismatches
        if mismatches in refused:
            section, name = key.split(".")
            allowed = " or ".join(m for m in MISMATCHES if m not in refused)
            expected = f"{allowed}, where {key} is {getattr(getattr(self, section), name)}"
            raise ValueError(checks.wrong("training.mismatches", expected, mismatches, hint))

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionaries, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Config":
        """Builds a configuration; keys left out keep their defaults.

        Raises:
            ValueError: A key is unknown (the nearest known one is named) or a value out of range.
            TypeError: A value is of the wrong type.
        """
        return _build(cls, values, "")

    @classmethod
    def read(cls, path: str | os.PathLike) -> "Config":
        """Reads a configuration from a JSON file.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It holds something else; the message names the file.
        """
        return _from_file(path, cls.from_dict)

    def updated_by(self, path: str | os.PathLike) -> "Config":
        """`updated` with what a JSON file holds; errors as in `read`."""
        return _from_file(path, self.updated)

    def without_paths(self) -> "Config":
        """A copy that says nothing of where its data lay, for models that are given away."""
        pretrained = self.text.pretrained
        if "://" not in pretrained:  # its folder, if any, lies in the model's
            pretrained = os.path.basename(pretrained.rstrip(os.sep))
        return self.updated(
            {
                "data": {"path": "", "word_vectors": ""},
                "training": {
                    "start_from": os.path.basename(self.training.start_from),
                    "teacher": os.path.basename(self.training.teacher),
                },
                "text": {"pretrained": pretrained},
            }
        )

    def updated(self, values: dict[str, Any]) -> "Config":
        """A copy in which `values` (nested, partial) take precedence.

        Example:
            >>> Config().updated({"training": {"seed": 7}}).training.seed
            7
        """
        nested = isinstance(values, dict)
        return Config.from_dict(_merged(self.to_dict(), values) if nested else values)


def _from_file(path: str | os.PathLike, take: Callable[[Any], Config]) -> Config:
    values = files.read_json(path)
    try:
        return take(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = dict(old)
    for key, value in new.items():
        nested = isinstance(value, dict) and isinstance(old.get(key), dict)
        both[key] = _merged(old[key], value) if nested else value
    return both


def _build(cls: type, values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise TypeError(
            checks.wrong(
                where.rstrip(".") or "config",
                "an object of keys and values",
                values,
                "See `kgen train --dry-run`.",
            )
        )
    types = typing.get_type_hints(cls)
    for key in values:
        if key not in types:
            shown = checks.one_line(f"{where}{key}", 80)
            raise ValueError(f"Unknown key `{shown}`. {checks.nearest(key, types)}")
    return cls(**{key: _typed(types[key], value, where + key) for key, value in values.items()})


def _typed(kind: type, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _build(kind, value, where + ".")
    if kind is float and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            hint = "Use a smaller number."
            raise ValueError(checks.wrong(where, "below 1e308", value, hint)) from None
    if type(value) is not kind:
        raise TypeError(checks.wrong(where, TYPES[kind], value, "Change it to that."))
    return value
