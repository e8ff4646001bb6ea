"""What lies beside an exported model: its name, its sizes, and what captions are read by."""

from collections.abc import Callable
from pathlib import Path

import kgen
from kgen import files
from kgen.export.reading import reading_of
from kgen.model_files import CONFIG, PRETRAINED_TEXT, VOCABULARY
from kgen.pipeline import TextToImage
from kgen.runtime.painter import ABOUT
from kgen.runtime.tokenizer import READING
from kgen.text.pretrained import pretrained_of
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import write_vocabulary

EXAMPLES = "examples.json"
# Case, accents, full-width forms, punctuation, digits, emoji, both languages, nothing, too much.
EXAMPLE_CAPTIONS = (
    "美丽的日落景象",
    "A Snowy Night, the moon on the left",
    "正午的大海，two boats",
    "ＣＡＦÉ 2½",
    "日落🌅sunset",
    "",
    "night " * 600,
)


def about(painter: TextToImage) -> dict[str, str | int]:
    """What names a model: `name`, `hash`, `post`, the version of `kgen` that exported it; and
    `fewest_tokens`, of the shortest caption that it was taught by, 0 if that is unknown.
    """
    of_model = {"name": painter.config.name, "hash": painter.hash, "post": str(painter.post)}
    of_captions = {"fewest_tokens": painter.fewest_tokens}
    return {**of_model, **of_captions, "kgen": kgen.__version__}


def write_reading(painter: TextToImage, folder: Path) -> None:
    """Writes what captions are read by, and what names the model."""
    pretrained = pretrained_of(painter.model)
    if pretrained:
        (folder / PRETRAINED_TEXT).mkdir()
        pretrained.tokenizer.save_to_preset(str(folder / PRETRAINED_TEXT))
    else:
        write_table(folder, painter.tokenizer)
    files.write_json(folder / CONFIG, painter.config.without_paths().to_dict())
    files.write_json(folder / ABOUT, about(painter))
    files.write_json(folder / EXAMPLES, examples(painter.tokenizer))


def write_table(folder: Path, tokenizer: CaptionTokenizer) -> None:
    """Writes a vocabulary and how captions are read by it."""
    write_vocabulary(folder / VOCABULARY, tokenizer.vocabulary)
    files.write_json(folder / READING, reading_of(tokenizer))


def examples(tokenizer: Callable) -> list[dict]:
    """Captions that try a tokenizer, each with its ids int32 (L,)."""
    token_ids = tokenizer(EXAMPLE_CAPTIONS).numpy().tolist()
    return [
        {"caption": caption, "token_ids": ids}
        for caption, ids in zip(EXAMPLE_CAPTIONS, token_ids, strict=True)
    ]
