"""kgen.runtime draws where nothing but its own requirements is installed."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from test_export import build_painter

import kgen
from kgen.export.exporting import export
from kgen.pipeline import TextToImage

PACKAGE = Path(kgen.__file__).parent
REQUIREMENTS = PACKAGE / "runtime" / "requirements.txt"


def required():
    """Names of the distributions that pip would install for the runtime's requirements."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    to_do = [Requirement(line) for line in lines if not line.startswith("#")]
    found = {}
    while to_do:
        requirement = to_do.pop()
        if requirement.name in found or not (
            requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ):
            continue
        found[requirement.name] = metadata.distribution(requirement.name)
        assert found[requirement.name].version in requirement.specifier
        to_do += map(Requirement, found[requirement.name].requires or ())
    return found


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder of packages with links to those, and to kgen."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "kgen").symlink_to(PACKAGE)
    about = folder / f"kgen-{kgen.__version__}.dist-info" / "METADATA"
    about.parent.mkdir()
    about.write_text(f"Metadata-Version: 2.1\nName: kgen\nVersion: {kgen.__version__}\n")
    for distribution in required().values():
        tops = {file.parts[0] for file in distribution.files if ".." not in file.parts}
        for top in tops:
            if not (folder / top).exists():
                (folder / top).symlink_to(distribution.locate_file(top))
    return folder


def ran(packages, *command, folder):
    """A run of Python that sees no other packages."""
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    command = [sys.executable, "-S", "-P", *command]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def test_tensorflow_is_not_there(packages, tmp_path):
    assert "tensorflow" not in required() and "keras" not in required()
    for module in ("tensorflow", "keras", "tqdm.keras"):
        found = ran(packages, "-c", f"import {module}", folder=tmp_path)
        assert "ModuleNotFoundError" in found.stderr


def test_a_caption_becomes_a_png(packages, tmp_path):
    build_painter("bilstm").save(tmp_path / "run")
    painter = TextToImage.from_preset(tmp_path / "run")
    export(painter, tmp_path / "run" / "exported", ["litert"], precisions=["float32"])
    drawn = ran(
        packages,
        "-m",
        "kgen.cli",
        "generate",
        "夜晚的红色小船",
        "--preset",
        tmp_path / "run",
        "--out",
        tmp_path / "pictures",
        folder=tmp_path,
    )
    assert drawn.returncode == 0, drawn.stderr
    (path,) = (tmp_path / "pictures").glob("*.png")
    assert Path(drawn.stdout.strip()) == path and path.read_bytes()[:4] == b"\x89PNG"


def test_what_needs_tensorflow_says_so(packages, tmp_path):
    build_painter("bag").save(tmp_path / "run")
    found = ran(
        packages, "-m", "kgen.cli", "generate", "red", "--preset", tmp_path / "run", folder=tmp_path
    )
    assert found.returncode == 1
    assert found.stderr.startswith("kgen: ") and len(found.stderr.splitlines()) == 1
    assert "tensorflow" in found.stderr or "keras" in found.stderr
