"""The corpus of bad inputs, all in one table.

python tests/bad_inputs/make.py --list            each case, and what is expected of it
python tests/bad_inputs/make.py --write FOLDER    the files of each case, to be tried by hand
"""

import argparse
import shlex
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from bad_inputs.captions import CALLS  # noqa: E402
from bad_inputs.case import Call, Command, Rows, expectations  # noqa: E402
from bad_inputs.options import OPTIONS  # noqa: E402
from bad_inputs.rows import ROWS  # noqa: E402
from bad_inputs.run_folders import RUN_FOLDERS  # noqa: E402
from bad_inputs.sets import SETS  # noqa: E402

CASES: list[Command | Rows | Call] = [*OPTIONS, *RUN_FOLDERS, *SETS, *ROWS, *CALLS]


def _shown(case: Command | Rows | Call) -> str:
    if isinstance(case, Command):
        words = (a if len(a) <= 60 else a[:57] + "..." for a in case.arguments)
        return "kgen " + " ".join(map(shlex.quote, words)).replace("\n", "\\n")
    return f"reads {case.path}" if isinstance(case, Rows) else "Python"


def main() -> None:
    """Prints the table, or writes the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", metavar="FOLDER", type=Path)
    given = parser.parse_args()
    expected = expectations()
    for number, case in enumerate(CASES, start=1):
        if given.list:
            print(f"{number:3d}  {case.name}\n     {_shown(case)}")
            print("".join(f"       {line}\n" for line in expected.get(case.name, ["?"])))
        if (
            given.write
            and isinstance(case, (Command, Rows))
            and not getattr(case, "needs_run", False)
        ):
            folder = given.write / f"{number:03d}"
            folder.mkdir(parents=True)
            case.make(folder)
    print(f"{len(CASES)} cases")


if __name__ == "__main__":
    main()
