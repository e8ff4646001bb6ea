"""Imports run downward only, and importing kgen is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kgen

ROOT = Path(kgen.__file__).parent

# Lowest first; a module may import what stands in its own line or above. A line names modules
# or whole packages; the longest name that fits counts.
LAYERS = (
    ("kgen", "kgen.checks", "kgen.files", "kgen.pictures", "kgen.lettering",
     "kgen.html_page", "kgen.page_style", "kgen.noise",
     "kgen.model_files", "kgen.encodings", "kgen.streaming"),  # fmt: skip
    ("kgen.config", "kgen.presets"),
    ("kgen.text",),
    ("kgen.networks",),
    ("kgen.postprocess",),
    ("kgen.model_folder", "kgen.mean_of_runs"),
    ("kgen.matcher", "kgen.refining", "kgen.fast_generator", "kgen.drawing"),
    ("kgen.data",),
    ("kgen.training.losses",),
    ("kgen.evaluation.distance", "kgen.evaluation.caption_match", "kgen.evaluation.judges",
     "kgen.evaluation.matching", "kgen.evaluation.matcher_learner",
     "kgen.evaluation.attribute_classifier"),  # fmt: skip
    ("kgen.evaluation.fine_structure", "kgen.evaluation.features"),
    ("kgen.training",),
    ("kgen.pipeline", "kgen.generating", "kgen.evaluation", "kgen.export", "kgen.runtime",
     "kgen.publishing", "kgen.cards", "kgen.real_captions", "kgen.baselines"),  # fmt: skip
    ("kgen.compressed_sizes", "kgen.compressing"),
    ("kgen.given_path", "kgen.command_settings", "kgen.cli", "kgen.__main__"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# Nothing on the way from a caption to a picture needs what training needs.
SERVING = ("kgen.text", "kgen.networks", "kgen.postprocess", "kgen.model_folder", "kgen.pipeline",
           "kgen.matcher", "kgen.refining", "kgen.noise", "kgen.encodings", "kgen.streaming",
           "kgen.fast_generator", "kgen.drawing",
           "kgen.generating", "kgen.runtime", "kgen.export")  # fmt: skip
KNOW_TENSORFLOW = ("kgen.training.gan", "kgen.training.pair_logits",
                   "kgen.training.near_captions", "kgen.training.callbacks", "kgen.text.tokenizer",
                   "kgen.text.wordpieces", "kgen.text.pretrained_tokenizer",
                   "kgen.training.remembered_states", "kgen.training.text_teaching",
                   "kgen.training.draw_teaching",
                   "kgen.training.precision",
                   "kgen.data", "kgen.export", "kgen.pipeline", "kgen.fast_generator",
                   "kgen.drawing",
                   "kgen.refining", "kgen.baselines.redrawer", "kgen.baselines.saved_model",
                   "kgen.baselines.litert")  # fmt: skip


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports_of(module):
    """Full names of all that a module imports, also inside its functions."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}, line {node.lineno}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in FILES else node.module)
    return found


def is_in(module, names):
    return any(module == name or module.startswith(name + ".") for name in names)


def rank_of(module):
    fitting = [name for name in RANK if name != "kgen" and is_in(module, [name])]
    if not fitting and module != "kgen":
        pytest.fail(f"{module} has no place in LAYERS: give it one")
    return RANK[max(fitting, key=len, default="kgen")]


@pytest.mark.parametrize("module", FILES)
def test_imports_run_downward(module):
    inner = [name for name in imports_of(module) if is_in(name, ["kgen"])]
    assert [name for name in inner if rank_of(name) > rank_of(module)] == []


@pytest.mark.parametrize("module", [m for m in FILES if is_in(m, SERVING)])
def test_serving_never_imports_data_or_training(module):
    """`evaluation` may; whoever only draws may not."""
    inner = imports_of(module)
    assert [name for name in inner if is_in(name, ["kgen.training", "kgen.data"])] == []


@pytest.mark.parametrize("module", FILES)
def test_ground_imports_ground_only(module):
    if rank_of(module) == 0:
        inner = [name for name in imports_of(module) if is_in(name, ["kgen"])]
        assert [name for name in inner if rank_of(name) > 0] == []


def test_who_knows_tensorflow():
    knowing = [
        module
        for module in FILES
        if any(is_in(n, ["tensorflow", "tensorflow_text"]) for n in imports_of(module))
    ]
    assert [module for module in knowing if not is_in(module, KNOW_TENSORFLOW)] == []
    assert "kgen.training.gan" in knowing  # the search does find


def test_nothing_reads_pickles():
    """A pickle runs whatever its author wrote."""
    for module, path in FILES.items():
        banned = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
        assert {name.split(".")[0] for name in imports_of(module)} & banned == set(), module
        assert "allow_pickle=True" not in path.read_text(encoding="utf-8"), module


def test_importing_kgen_imports_no_framework():
    code = (
        "import sys, kgen, kgen.config, kgen.presets, kgen.files\n"
        "dir(kgen); kgen.Config\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "kgen" in loaded
    assert loaded & {"tensorflow", "keras", "tensorflow_text", "jax", "torch", "PIL"} == set()


def test_public_names_are_there():
    assert set(dir(kgen)) >= {"Config", "TextToImage", "TextToImageGAN", "__version__"}
    with pytest.raises(AttributeError, match="nothing_here"):
        getattr(kgen, "nothing_here")  # noqa: B009
