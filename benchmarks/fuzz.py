"""Searches for input that kgen takes badly, until the time is up.

    python -m benchmarks.fuzz --minutes 60 --seed 0

It draws examples of every property in tests/fuzzing.py, round after round, each round with
another seed, and prints a line a minute. At the first example that fails it prints the smallest
like it, with its trace and how to see it again, and exits with 1.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="Of the first round.")
    parser.add_argument("--only", default="", help="A part of the properties' names.")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path[:0] = [str(TESTS)]
    warnings.simplefilter("ignore")
    from fuzzing import PROPERTIES, search

    names = [name for name in PROPERTIES if given.only in name]
    began, seed, counts, said = time.monotonic(), given.seed, Counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        while True:
            for name in names:
                passed = (time.monotonic() - began) / 60
                if passed >= said:
                    print(f"{passed:5.1f} min  seed {seed}  {counts.total()} examples", flush=True)
                    said = passed + 1
                if passed >= given.minutes:
                    print(f"no failure in {counts.total()} examples:")
                    print(
                        "".join(f"  {n:8d}  {name}\n" for name, n in sorted(counts.items())), end=""
                    )
                    return 0
                try:
                    counts[name] += search(name, PROPERTIES[name].examples, Path(folder), seed)
                except Exception:
                    traceback.print_exc(file=sys.stdout)
                    print(f"{name} failed. See it again with:")
                    print(f"  python -m benchmarks.fuzz --only {name} --seed {seed} --minutes 1")
                    return 1
            seed += 1


if __name__ == "__main__":
    sys.exit(main())
