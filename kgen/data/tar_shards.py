"""WebDataset shards: .tar files in which a picture and its captions share a name."""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from kgen.checks import wrong
from kgen.data.metadata import PICTURE_SUFFIXES, Row
from kgen.data.shards import Piece, PiecesSource, shard_paths, wanted_shards
from kgen.data.sources import safe_name

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
TEXTS = ("txt", "json")


class TarSource(PiecesSource):
    """The members of uncompressed .tar files, read in place.

    Members are found once, when the source is opened; nothing is unpacked. Their names are
    shard.tar/member, or for a single file the member's alone.

    Attributes:
        problems: (shard, row) for each member, or rest of a shard, that cannot be used: names
            that leave the folder, links, devices, second files of one name, shards cut off.
    """

    def __init__(self, path: Path):
        self.shards = shard_paths(path, ".tar")
        single = path.is_file()
        self.problems: list[tuple[str, Row]] = []
        pieces = {}
        for shard, file in self.shards.items():
            for where, name, piece in self._members(shard, file):
                full = name if single else f"{shard}/{name}"
                if full in pieces:
                    self._report(shard, where, "a second file of this name; the first counts")
                    continue
                pieces[full] = piece
        self.order = tuple(pieces)
        super().__init__(pieces)

    def rows(self, split: str | None = None) -> Iterator[tuple[str, Row]]:
        """(split or "" where undecided, row) for each sample, in the order of the shards.

        A sample is what shares a shard and a key, the name up to the first dot of its last part:
        a picture, .txt with one caption a line (the column `text`), .json with columns. Without
        a `text`, a `caption` of the .json counts as such, too.

        Source: Aizman et al. 2019, "High Performance I/O For Large Scale Deep Learning", for the
            format (https://github.com/webdataset/webdataset).
        """
        labels = wanted_shards(self.shards, split)
        for shard, row in self.problems:
            if shard in labels:
                yield labels[shard], row
        for (shard, key), files in self._samples().items():
            if shard not in labels:
                continue
            row = self._row(f"{shard}: {key}", files)
            if row is not None:
                yield labels[shard], row

    def _samples(self) -> dict[tuple[str, str], dict[str, str]]:
        """(shard, key) -> {suffix in small letters: name}."""
        samples, shard_of = {}, {file: shard for shard, file in self.shards.items()}
        for name in self.order:
            folder, slash, base = name.rpartition("/")
            stem, _, suffix = base.partition(".")
            sample = samples.setdefault(
                (shard_of[self.pieces[name].file], folder + slash + stem), {}
            )
            sample.setdefault(suffix.lower(), name)
        return samples

    def _row(self, where: str, files: dict[str, str]) -> Row | None:
        pictures = [s for s in files if f".{s}".endswith(PICTURE_SUFFIXES)]
        plain = [suffix for suffix in pictures if "." not in suffix]
        chosen = plain or pictures
        texts = [suffix for suffix in TEXTS if suffix in files]
        if not chosen:
            return Row(where, problem="no picture beside its captions") if texts else None
        if len(chosen) > 1:
            return Row(where, problem=f"several pictures: {', '.join(chosen)}; keep one")
        name = files[chosen[0]]
        if not texts:
            return Row(where, name, problem="no .txt or .json beside the picture")
        try:
            return Row(where, name, self._columns(files))
        except ValueError as error:
            return Row(where, name, problem=str(error))

    def _columns(self, files: dict[str, str]) -> dict:
        columns = {}
        if "json" in files:
            columns = self._object(files["json"])
            if "caption" in columns:
                columns.setdefault("text", columns["caption"])
        if "txt" in files:
            try:
                text = self.read(files["txt"]).decode("utf-8-sig")
            except UnicodeDecodeError:
                raise ValueError("the .txt is not UTF-8 text") from None
            columns["text"] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return columns

    def _object(self, name: str) -> dict:
        try:
            found = json.loads(self.read(name).decode("utf-8-sig"))
            # A lone half of a surrogate pair can be escaped in JSON, but is no text.
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        except UnicodeError:
            raise ValueError("the .json is not UTF-8 text") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"the .json is no valid JSON ({error.msg})") from None
        except RecursionError:
            raise ValueError("the .json is nested too deeply") from None
        except ValueError as error:
            known = "digits" not in str(error)  # Python reads no numbers of over 4300
            reason = str(error) if known else "a number of over 4300 digits"
            raise ValueError(f"the .json cannot be read ({reason})") from None
        if not isinstance(found, dict):
            raise ValueError(f"the .json holds {type(found).__name__}, not an object")
        return found

    def _members(self, shard: str, file: Path) -> Iterator[tuple[str, str, Piece]]:
        """(where, safe name, piece) of each regular member; the rest becomes problems."""
        size = file.stat().st_size
        try:
            tar = tarfile.open(file, "r:", encoding="utf-8")  # noqa: SIM115
        except tarfile.ReadError as error:
            self._report(shard, shard, f"no uncompressed tar ({error})")
            return
        with tar:
            last = -1
            while True:
                before = tar.offset
                try:
                    member = tar.next()
                except (tarfile.TarError, ValueError, OSError) as error:
                    self._report(shard, shard, f"cut off or damaged at byte {before} ({error})")
                    return
                if member is None:
                    break
                if member.size < 0 or member.offset <= last:  # it would never end
                    where = f"damaged at byte {member.offset}: a negative size"
                    self._report(shard, shard, where)
                    return
                last = member.offset
                tar.members.clear()  # it would keep every one
                where = f"{shard}: {member.name}"
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    self._report(shard, where, "no plain file, but a link, a device or sparse")
                    continue
                try:
                    name = safe_name(member.name)
                    name.encode("utf-8")
                except UnicodeEncodeError:
                    self._report(shard, where, "the name is not UTF-8 text")
                except ValueError as error:
                    if str(error) != "hidden file":
                        self._report(shard, where, str(error))
                else:
                    piece = Piece(file, member.offset_data, member.size)
                    if piece.offset + piece.size > size:
                        self._report(shard, where, "cut off: the shard ends within this file")
                    else:
                        yield where, name, piece
            self._check_end(shard, file, tar.offset)

    def _check_end(self, shard: str, file: Path, offset: int) -> None:
        """A tar ends in a block of zeros; without, there was more once."""
        with open(file, "rb", buffering=0) as opened:
            opened.seek(offset)
            block = opened.read(tarfile.BLOCKSIZE)
        if block != bytes(tarfile.BLOCKSIZE):
            self._report(shard, shard, f"cut off or damaged at byte {offset}: no end of the tar")

    def _report(self, shard: str, where: str, problem: str) -> None:
        shown = "".join(c if c.isprintable() else "?" for c in where)
        self.problems.append((shard, Row(shown, problem=problem)))


def check_uncompressed(path: str | os.PathLike) -> None:
    """Raises `ValueError` for a compressed tar: its members cannot be read out of order."""
    if str(path).lower().endswith(COMPRESSED):
        raise ValueError(
            wrong("path", "an uncompressed .tar", str(path), "Decompress it first, as by gunzip.")
        )
