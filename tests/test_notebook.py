"""The notebook runs, from its first cell to its last."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

LONG, SHORT = "steps_per_epoch=100, epochs=3", "steps_per_epoch=5, epochs=2"  # a reader has minutes
NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "quickstart.ipynb"


def test_quickstart_runs(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    trains = [cell for cell in notebook.cells if LONG in cell.source]
    assert len(trains) == 1
    trains[0].source = trains[0].source.replace(LONG, SHORT)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    shown = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(shown) == 3
    assert (tmp_path / "exported" / "litert" / "model.tflite").is_file()
