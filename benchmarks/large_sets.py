"""python -m benchmarks.large_sets: how long large sets take to open, and how much memory."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import itertools
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import click
import numpy as np
from PIL import Image

SIZE = 64
COLOURS = ("red", "blue", "green", "white", "black", "orange")
THINGS = ("hill", "lake", "boat", "house", "tree", "bird", "cloud", "road")


def write_set(folder: Path, num_rows: int, num_pictures: int) -> None:
    """A metadata.jsonl of so many rows, and PNGs of 64 px that they name in turn."""
    rng = np.random.default_rng(0)
    for k in range(num_pictures):
        small = rng.integers(0, 256, (8, 8, 3), np.uint8)
        picture = Image.fromarray(small).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        (folder / f"{k % 100:02}").mkdir(exist_ok=True)
        picture.save(folder / _name(k), compress_level=1)
    with open(folder / "metadata.jsonl", "w", encoding="utf-8") as file:
        for i in range(num_rows):
            colour, thing = COLOURS[i % len(COLOURS)], THINGS[i % len(THINGS)]
            row = {
                "file_name": _name(i % num_pictures),
                "text": f"a {colour} {thing} beside the {THINGS[i // 7 % 8]}, number {i}",
                "text_zh": f"第{i}幅：{colour}色的风景",
                "colour": colour,
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def zip_folder(folder: Path, path: Path) -> None:
    """The folder's files, uncompressed."""
    with zipfile.ZipFile(path, "w") as file:
        for found in sorted(folder.rglob("*")):
            if found.is_file():
                file.write(found, found.relative_to(folder).as_posix())


def measure(path: str, num_batches: int, cache_mib: int) -> dict[str, float]:
    """Opens a set in this process, and reads batches of 32.

    Returns:
        `rows`; `open_seconds`; `batch_seconds` for all the batches; and resident memory in MiB:
        `before_mib`, `opened_mib`, `first_mib` after 20 batches, `read_mib` after all, and
        `peak_mib`.
    """
    from kgen.config import DataConfig
    from kgen.data import picture_cache
    from kgen.data.loading import load_pictures

    picture_cache.CACHE_BYTES = cache_mib * 2**20
    figures = {}
    if num_batches:
        from kgen.data.batches import make_batches, tokenize_captions
        from kgen.text.tokenizer import CaptionTokenizer
        from kgen.text.vocabulary import learn_vocabulary

    figures["before_mib"] = _resident()
    began = time.perf_counter()
    pictures = load_pictures(DataConfig(path=path, captions="text,text_zh"), SIZE)
    figures["open_seconds"] = time.perf_counter() - began
    figures["rows"], figures["opened_mib"] = len(pictures), _resident()
    if num_batches:
        some = itertools.chain.from_iterable(pictures.captions[:2000])
        tokenizer = CaptionTokenizer(learn_vocabulary(some, 500), 32)
        began = time.perf_counter()
        token_ids = tokenize_captions(tokenizer, pictures.captions)
        figures["tokenize_seconds"] = time.perf_counter() - began
        batches = iter(make_batches(pictures, token_ids, 32, seed=0))
        began = time.perf_counter()
        for n in range(num_batches):
            next(batches)
            if n == 20:
                figures["first_mib"] = _resident()
        figures["batch_seconds"] = time.perf_counter() - began
    figures["read_mib"] = _resident()
    figures["peak_mib"] = _status("VmHWM")
    return figures


def _name(k: int) -> str:
    return f"{k % 100:02}/{k:07}.png"


def _resident() -> float:
    return _status("VmRSS")


def _status(key: str) -> float:
    """MiB, as Linux tells it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _apart(path: Path, num_batches: int, cache_mib: int) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.large_sets", "--only", str(path)]
    done = subprocess.run(
        [*command, "--batches", str(num_batches), "--cache-mib", str(cache_mib)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@click.command()
@click.option("--rows", default=100_000, show_default=True, help="Pictures, one row each.")
@click.option("--index-rows", default=1_000_000, show_default=True, help="Rows of few pictures.")
@click.option("--batches", default=200, show_default=True, help="Batches of 32 to read.")
@click.option("--cache-mib", default=1024, show_default=True, help="Of decoded pictures kept.")
@click.option("--only", type=click.Path(exists=True), hidden=True)
def main(rows, index_rows, batches, cache_mib, only):
    """Opens a folder, a zip and a long table in processes of their own, and prints what it took."""
    if only:
        click.echo(json.dumps(measure(only, batches, cache_mib)))
        return
    with tempfile.TemporaryDirectory() as made:
        folder, path, long = Path(made, "folder"), Path(made, "set.zip"), Path(made, "long")
        folder.mkdir()
        long.mkdir()
        write_set(folder, rows, rows)
        zip_folder(folder, path)
        write_set(long, index_rows, 10)
        for name, where, num in (("folder", folder, batches), ("zip", path, batches),
                                 ("table of few pictures", long, 0)):  # fmt: skip
            row = _apart(where, num, cache_mib)
            click.echo(
                f"{name}, {row['rows']} rows: {row['open_seconds']:.1f} s to open; resident "
                f"{row['before_mib']:.0f} MiB before, {row['opened_mib']:.0f} after"
                + (
                    f", {row['first_mib']:.0f} after 20 and {row['read_mib']:.0f} after {num} "
                    f"batches, {num * 32 / row['batch_seconds']:.0f} pictures/s; "
                    f"{row['tokenize_seconds']:.1f} s to tokenize"
                    if num
                    else ""
                )
                + f"; peak {row['peak_mib']:.0f}"
            )


if __name__ == "__main__":
    main()
