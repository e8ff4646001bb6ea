"""A case of bad input: what is given, and how it is judged against expected.txt."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EXPECTED = Path(__file__).parent / "expected.txt"


def nothing(_folder: Path) -> None:
    """Makes nothing."""


@dataclass(frozen=True)
class Command:
    """A command line that is refused.

    Attributes:
        name: Of the case.
        arguments: Of `kgen`; {tmp} stands for the case's folder, {run} for a trained model in it.
        make: Writes what the arguments name into the case's folder.
    """

    name: str
    arguments: tuple[str, ...]
    make: Callable[[Path], None] = nothing

    @property
    def needs_run(self) -> bool:
        """Whether a trained model has to lie in {tmp}/run before `make`."""
        return any("{run}" in argument for argument in self.arguments)


@dataclass(frozen=True)
class Rows:
    """A set of captioned pictures in which some rows are bad.

    Attributes:
        name: Of the case.
        make: Writes the set into the case's folder.
        path: Of the set in that folder.
        captions: Caption columns.
    """

    name: str
    make: Callable[[Path], None]
    path: str = "data"
    captions: tuple[str, ...] = ("text",)


@dataclass(frozen=True)
class Call:
    """A call from Python that is refused.

    Attributes:
        name: Of the case.
        call: What is called, with the case's folder; it raises.
        needs_run: Whether a trained model has to lie in `run` in that folder.
    """

    name: str
    call: Callable[[Path], object]
    needs_run: bool = False


def expectations() -> dict[str, list[str]]:
    """What is expected of each case, by its name: the indented lines below it."""
    found, lines = {}, []
    for line in EXPECTED.read_text(encoding="utf-8").split("\n"):
        if line.startswith("    "):
            lines.append(line[4:])
        elif line and not line.startswith("#"):
            if line in found:
                raise ValueError(f"{EXPECTED}: {line} stands there twice")
            lines = found[line] = []
    return found


def matches(expected: str, line: str) -> bool:
    """Whether a line is the expected one, in which … stands for anything (a library's words)."""
    pattern = ".*".join(map(re.escape, expected.split("…")))
    return re.fullmatch(pattern, line) is not None


def snapshot(folder: Path) -> dict[str, str]:
    """Every path below a folder, and a hash of what is there."""
    return {str(path.relative_to(folder)): _hash(path) for path in sorted(folder.rglob("*"))}


def _hash(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if not path.is_file():
        return "no file"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()
