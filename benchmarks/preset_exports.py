"""python -m benchmarks.preset_exports NAME [DATA]: the exports that a trained preset comes with.

A SavedModel for servers, and for everything else the encoder and the generator in the fewest bits
that one cannot see: dynamic range, or int8 where that misses its gate. All of the ladder would be
four times as much; `kgen export` writes it in two minutes. The page is `preset_page`'s.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import shutil

import click

from kgen import files
from kgen.export import proof, serving
from kgen.export.exporting import export
from kgen.matcher import FOLDER as MATCHER
from kgen.pipeline import TextToImage
from kgen.presets import model_folder
from kgen.real_captions import real_captions
from kgen.runtime.precisions import file_name


@click.command()
@click.argument("preset")
@click.argument("data", required=False)
@click.option("--saved-model/--no-saved-model", default=True, help="Whether servers get theirs.")
def main(preset, data, saved_model):
    """Exports a preset into its own folder."""
    painter = TextToImage.from_preset(preset)
    captions = real_captions(painter, data)
    with files.whole_folder(model_folder(preset) / "exported") as out:
        if saved_model:
            export(painter, out, ["saved_model"], captions)
        try:
            export(painter, out, ["litert"], captions, ["dynamic"])
        except proof.GateError as error:
            click.echo(error)
            export(painter, out, ["litert"], captions, ["int8"])
        for name in serving.CLIENTS:  # the package has them already
            (out / serving.PLACE / name).unlink(missing_ok=True)
        for precision in ("dynamic", "int8"):
            (out / "litert" / file_name("model", precision)).unlink(missing_ok=True)
        shutil.rmtree(out / "litert" / MATCHER, ignore_errors=True)
        proof.forget_missing(out)
    click.echo(model_folder(preset) / "exported" / proof.READABLE)


if __name__ == "__main__":
    main()
