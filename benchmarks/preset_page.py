"""python -m benchmarks.preset_page: one page for all trained presets, in saved_models/page.

It draws by the files of the presets' own exports, and carries the WebAssembly once, in the one
form that every browser can run.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click

from kgen import files
from kgen.export.web import model_entry, write_page
from kgen.pipeline import TextToImage
from kgen.presets import trained_presets
from kgen.runtime.precisions import part_files

PAGE = "page"


@click.command()
def main():
    """Writes the page."""
    presets = trained_presets()
    models = []
    for name, folder in presets.items():
        litert = folder / "exported" / "litert"
        parts = [path.name for path in part_files(litert)]
        place = f"../{litert.relative_to(folder.parent).as_posix()}"
        models.append(model_entry(TextToImage.from_preset(name), place, parts))
    models.sort(key=lambda model: model["name"] != "scenes_64")  # the one of the README first
    beside_presets = next(iter(presets.values())).parent
    with files.whole_folder(beside_presets / PAGE) as out:
        write_page(out, models, everywhere=True)
    click.echo(beside_presets / PAGE / "index.html")


if __name__ == "__main__":
    main()
