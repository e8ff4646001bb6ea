"""The judge of a set of pictures: trained once, then kept.

It is kept under `$KGEN_CACHE`, else `~/.cache/kgen`, in `judges/<fingerprint>`. The fingerprint is
of the pictures, their captions and all that the training depends on, so another set, or another
version of kgen, gets another judge.
"""

import hashlib
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np

from kgen import __version__
from kgen.checks import ToldWarning, one_line
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.matching import train_matcher
from kgen.matcher import Matcher

CACHE = "KGEN_CACHE"
METHOD = 2  # to be raised whenever the same pictures would give another judge
MOST_HASHED = 2048  # pictures


def judge_for(
    pictures: CaptionedPictures,
    epochs: int | None = None,
    seed: int = 0,
    cache: str | os.PathLike | None = None,
    size: str = "full",
) -> Matcher:
    """The judge of these pictures: read, if one was trained before, else trained and kept.

    A kept judge that is damaged is trained anew, and a cache that cannot be written to does no
    harm; both are told in a warning.

    Args:
        pictures: Real training pictures, of the size at which pictures will be judged.
        epochs, seed, size: As of `train_matcher`.
        cache: Folder of kept judges; None: see this module's text.

    Raises:
        TypeError, ValueError: As `train_matcher`.
    """
    folder = Path(cache) if cache else cache_folder()
    folder = folder / fingerprint(pictures, epochs, seed, size)
    try:
        if folder.exists():
            return Matcher.load(folder)
    except (OSError, ValueError) as error:
        _tell(f"the kept judge cannot be read and is trained anew: {error}")
    matcher = train_matcher(pictures, epochs, seed, size)
    try:
        matcher.save(folder)
    except OSError as error:
        _tell(f"the judge cannot be kept and will be trained again next time: {error}")
    return matcher


def cache_folder() -> Path:
    """Where judges are kept: `$KGEN_CACHE/judges`, else `~/.cache/kgen/judges`."""
    given = os.environ.get(CACHE)
    if given:
        return Path(given) / "judges"
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home
        home = Path(tempfile.gettempdir())
    return home / ".cache" / "kgen" / "judges"


def fingerprint(
    pictures: CaptionedPictures, epochs: int | None = None, seed: int = 0, size: str = "full"
) -> str:
    """What tells one judge from another: 32 hexadecimal digits of a SHA-256.

    Of sets over 2048 pictures as many, spread evenly, are read; the captions are read all.
    """
    digest = hashlib.sha256()
    said = (METHOD, __version__, epochs, seed, len(pictures), tuple(pictures.pixels.shape[1:]))
    said += (size,) if size != "full" else ()
    digest.update(repr(said).encode())
    for several in pictures.captions:
        digest.update(repr(tuple(map(str, several))).encode("utf-8", "surrogatepass"))
    num = len(pictures)
    rows = np.unique(np.linspace(0, num - 1, min(num, MOST_HASHED)).round().astype(int))
    for some in np.array_split(rows, -(-len(rows) // 256)) if num else ():
        digest.update(np.ascontiguousarray(pictures.pixels[some]).tobytes())
    return digest.hexdigest()[:32]


def _tell(line):
    warnings.warn(ToldWarning(one_line(line)), stacklevel=3)
