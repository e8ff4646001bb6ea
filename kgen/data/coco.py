"""COCO captions: a JSON file of images and of annotations that caption them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kgen.checks import wrong
from kgen.data.metadata import Row
from kgen.data.shards import split_labels
from kgen.data.sources import Source, safe_name

# Of an image, not what tells it apart from others.
NO_COLUMNS = ("id", "file_name", "coco_url", "flickr_url", "date_captured")
MAX_UNNAMED = 10  # with more, they are notes to single pictures
PLACES = ("annotations", "train", "test", "val", "valid")


def annotation_files(source: Source, only: str = "") -> list[str]:
    """The JSON files of `source` that may hold captions; those named so, if any are.

    Args:
        source: With the JSON at the top, or in annotations/, train/ or test/.
        only: Name of a file, from the top or the last part of it, to look at alone.
    """
    names = [name for name in source.names if name.lower().endswith(".json")]
    if only:
        found = [name for name in names if name == only or name.endswith(f"/{only}")]
        return sorted(found, key=lambda name: name.count("/"))[:1]
    names = [n for n in names if "/" not in n or n.rpartition("/")[0] in PLACES]
    named = [name for name in names if _is_named(name)]
    return named or (names if len(names) <= MAX_UNNAMED else [])


def coco_rows(
    source: Source, files: Sequence[str], only: bool = False
) -> Iterator[tuple[str, Row]] | None:
    """(split or "" where undecided, row) for each image with its captions, in the file's order.

    Captions become the column `text`, a list; strings that an image has become columns.
    A row's place is "file: image 7". Pictures lie beside the JSON, at the top, or in a folder
    called after the JSON (train2017 for captions_train2017.json), split or `images`.

    Args:
        source: Where JSON and pictures lie.
        files: Of `annotation_files`. Files without captions are passed over.
        only: Whether the user named the file, which then has to hold captions.

    Returns:
        None where no file holds captioned images.

    Raises:
        ValueError: A file that is called after captions, or that the user named, cannot be used.

    Source: Chen et al. 2015, "Microsoft COCO Captions: Data Collection and Evaluation Server"
        (https://cocodataset.org/#format-data, section 5).
    """
    found = {}
    for file in files:
        try:
            content = _read(source, file)
        except ValueError:
            if only or _is_named(file):
                raise
            continue
        if _has_captions(content):
            found[file] = content
    if only and not found:
        hint = 'It needs "images" and "annotations" with a "caption".'
        raise ValueError(wrong("path", "COCO's JSON of captions", list(files), hint))
    return _rows_of_all(found, frozenset(source.names)) if found else None


def _rows_of_all(found: dict[str, Any], names: frozenset[str]) -> Iterator[tuple[str, Row]]:
    labels = split_labels(found)
    for file, content in found.items():
        for row in _rows(file, content, names):
            yield labels[file], row


def _is_named(file: str) -> bool:
    return "caption" in file.rpartition("/")[2].lower()


def _read(source: Source, file: str) -> Any:
    try:
        return json.loads(source.read(file).decode("utf-8-sig"))
    except UnicodeDecodeError:
        problem = "it is not UTF-8 text"
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}: no valid JSON ({error.msg})"
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as error:
        known = "digits" not in str(error)  # Python reads no numbers of over 4300
        problem = str(error) if known else "a number of over 4300 digits"
    raise ValueError(wrong("path", "a set with readable annotations", file, f"{problem}."))


def _has_captions(content: Any) -> bool:
    if not isinstance(content, dict):
        return False
    images, annotations = content.get("images"), content.get("annotations")
    return (
        isinstance(images, list)
        and isinstance(annotations, list)
        and any(isinstance(a, dict) and "caption" in a for a in annotations)
    )


def _rows(file: str, content: dict[str, Any], names: frozenset[str]) -> Iterator[Row]:
    captions, problems = _captions(file, content)
    folders, seen = _folders(file), set()
    for number, image in enumerate(content["images"], start=1):
        if not isinstance(image, dict) or not _is_id(image.get("id")):
            yield Row(f"{file}: {number}. of images", problem="no image with an id")
            continue
        where = f"{file}: image {image['id']}"
        if image["id"] in seen:
            yield Row(where, problem="a second image of this id; the first counts")
            continue
        seen.add(image["id"])
        yield _row(where, image, captions.get(image["id"]), folders, names)
    yield from problems


def _captions(file: str, content: dict[str, Any]) -> tuple[dict[Any, list], list[Row]]:
    """The captions of each image's id, and a row for each annotation without an image."""
    known = {i["id"] for i in content["images"] if isinstance(i, dict) and _is_id(i.get("id"))}
    captions, problems, seen = {}, [], set()
    for number, annotation in enumerate(content["annotations"], start=1):
        where, problem = f"{file}: {number}. of annotations", ""
        if not isinstance(annotation, dict):
            problems.append(Row(where, problem="no object"))
            continue
        own, image = annotation.get("id"), annotation.get("image_id")
        if _is_id(own):
            where = f"{file}: annotation {own}"
            if own in seen:
                problem = "a second annotation of this id; the first counts"
            seen.add(own)
        if "caption" not in annotation:
            problem = problem or "no caption"
        if not _is_id(image) or image not in known:
            problem = problem or f"image {str(image)[:40]} is not among the images"
        if problem:
            problems.append(Row(where, problem=problem))
        else:
            captions.setdefault(image, []).append(annotation["caption"])
    return captions, problems


def _row(
    where: str,
    image: dict[str, Any],
    captions: list | None,
    folders: Sequence[str],
    names: frozenset[str],
) -> Row:
    name = image.get("file_name")
    if not isinstance(name, str) or not name:
        return Row(where, problem="no file_name")
    strings = {k: v for k, v in image.items() if k not in NO_COLUMNS and isinstance(v, str)}
    columns = {**strings, "text": captions or []}
    try:
        json.dumps([name, columns], ensure_ascii=False).encode()
        name = safe_name(name)
    except UnicodeEncodeError:
        return Row(where, problem="not valid Unicode (a lone surrogate)")
    except RecursionError:
        return Row(where, problem="the captions are nested too deeply")
    except ValueError as error:
        return Row(where, columns=columns, problem=f"{error}: {name}")
    places = [f"{folder}/{name}" if folder else name for folder in folders]
    name = next((place for place in places if place in names), places[0])
    if captions is None:
        return Row(where, name, columns, problem="no annotation captions this image")
    return Row(where, name, columns)


def _folders(file: str) -> list[str]:
    """Where a JSON's pictures may lie, the likeliest first."""
    folder, _, base = file.rpartition("/")
    around = folder.rpartition("/")[0] if folder.rpartition("/")[2] == "annotations" else folder
    called = base.rpartition(".")[0]
    called = [called.partition("_")[2] or called, called]  # captions_train2017: train2017
    splits = [split for split in ("train", "test", "val") if split in base]
    inner = [*called, *(f"images/{name}" for name in called), *splits, "images", ""]
    return list(dict.fromkeys([folder, *("/".join(filter(None, (around, i))) for i in inner)]))


def _is_id(value: Any) -> bool:
    return isinstance(value, (int, str)) and not isinstance(value, bool)
