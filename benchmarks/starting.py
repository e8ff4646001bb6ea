"""How long it takes until something happens: imports, commands, the first picture."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAPTION = "正午的大海，左边是太阳"
ROUNDS = 5


def measure(exported: Path) -> list[dict]:
    """Median seconds of whole processes, in turns, and how many times as long as Python's own."""
    with tempfile.TemporaryDirectory() as folder:
        generate = ["-m", "kgen.cli", "generate", CAPTION, "--out", folder]
        programs = {
            "python -c pass": ["-c", "pass"],
            "import kgen": ["-c", "import kgen"],
            "kgen --help": ["-m", "kgen.cli", "--help"],
            "kgen generate, by an export": [*generate, "--preset", str(exported)],
            "import kgen.pipeline (TensorFlow)": ["-c", "import kgen.pipeline"],
            "kgen generate --exact (TensorFlow)": [*generate, "--preset", "scenes_64", "--exact"],
        }
        seconds = {name: [] for name in programs}
        for _ in range(ROUNDS):
            for name, program in programs.items():
                began = time.perf_counter()
                subprocess.run([sys.executable, *program], check=True, capture_output=True)
                seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(several) for name, several in seconds.items()}
    first = next(iter(medians.values()))
    return [{"name": n, "seconds": s, "ratio": s / first} for n, s in medians.items()]
