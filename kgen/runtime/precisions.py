"""The names of an exported model's LiteRT files."""

from pathlib import Path

from kgen import checks

PARTS = ("encoder", "generator")
PRECISIONS = ("float32", "float16", "dynamic", "int8")  # from the nearest to the model
FLOATS = ("float32", "float16")  # in which is calculated as in the model


def file_name(part: str, precision: str) -> str:
    """The name of the file of `model`, `encoder` or `generator`.

    Example:
        >>> file_name("model", "float32"), file_name("encoder", "int8")
        ('model.tflite', 'encoder_int8.tflite')
    """
    return f"{part}.tflite" if precision == "float32" else f"{part}_{precision}.tflite"


def is_float(path: Path) -> bool:
    """Whether a part's file calculates in floating point.

    Example:
        >>> is_float(Path("generator_float16.tflite")), is_float(Path("generator_int8.tflite"))
        (True, False)
    """
    return any(path.name == file_name(part, name) for part in PARTS for name in FLOATS)


def part_files(folder: Path, precision: str | None = None) -> tuple[Path, Path]:
    """The encoder's and the generator's file in an export's folder.

    Args:
        folder: `litert` in an export.
        precision: One of `PRECISIONS`; `None`: the nearest to the model that is there.

    Raises:
        ValueError: There is no such precision.
        FileNotFoundError: There are no such files.
    """
    if precision is not None:
        checks.check_choice("precision", precision, PRECISIONS)
    wanted = PRECISIONS if precision is None else (precision,)
    several = [[folder / file_name(part, name) for part in PARTS] for name in wanted]
    for encoder, generator in several:
        if encoder.is_file() and generator.is_file():
            return encoder, generator
    expected = "with " + " and ".join(path.name for path in several[0])
    there = [name for name in PRECISIONS if (folder / file_name(PARTS[0], name)).is_file()]
    hint = f"It holds {', '.join(there)}." if there else "Export the model anew."
    raise FileNotFoundError(checks.wrong("folder", expected, str(folder), hint))
