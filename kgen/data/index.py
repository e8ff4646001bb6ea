"""What a split of a set holds: its rows, in a few bytes each, before any picture is decoded."""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from kgen.checks import nearest, one_line, wrong
from kgen.data.metadata import Row, captions_of
from kgen.data.sources import Source
from kgen.data.strings import ClassNames, Groups, Strings

ID = "id"


class Index:
    """The rows of one split that may be used, and the reasons why others may not.

    A row that says the same of the same picture as an earlier one is left out as its double.
    Several rows may name one picture with different captions, as in COCO: each is a row of its
    own, and the picture is decoded once. A column `id` whose values are mostly distinct
    identifies a picture: a row that gives a known one to another picture is left out, too.

    Args:
        source: Where the pictures are; a row whose picture is not there is left out.
        rows: (split, row), as `rows_of` gives them.
        split: Rows of other splits are looked at for the names of columns alone.
        captions: Columns of captions.

    Attributes:
        num_rows: Rows of the split.
        num_doubles: Rows left out since an earlier one says the same.
        places: int64 (N,). Which row of the split each usable row is, ascending.
        pictures: int32 (N,). Which of the P pictures each row names.
        names: P names of pictures.
        captions: N groups of captions.

    Raises:
        ValueError: No row has one of the columns.
    """

    def __init__(
        self,
        source: Source,
        rows: Iterable[tuple[str, Row]],
        split: str,
        captions: Sequence[str],
    ):
        self._source, self._columns = source, tuple(captions)
        self._where, self._names, self._texts = Strings(), Strings(), Strings()
        self._places, self._ends = array("q"), array("q", [0])
        self._keys, self._contents, self._ids = array("q"), array("q"), array("q")
        self._attributes: dict[str, ClassNames] = {}
        self._reasons, self._bad_places = Strings(), array("q")
        self.num_rows, known = 0, set()
        for of_row, row in rows:
            if not known.issuperset(row.columns):
                known.update(row.columns)
            if of_row == split:
                self._add(row)
                self.num_rows += 1
        _check_known(captions, known - {""})
        self._finish()

    def where(self, row: int) -> str:
        """ "file:line" of a usable row."""
        return self._where[self._kept[row]]

    def attributes(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The columns of short strings of these rows, in the order in which they appear."""
        columns = {n: c.chosen(self._kept[rows]) for n, c in self._attributes.items()}
        return {name: values for name, values in columns.items() if values is not None}

    def problems(self, more: Sequence[tuple[int, str]] = ()) -> Strings:
        """One line for each row that is left out, in the order of the rows.

        Args:
            more: Usable rows that are to be left out as well, with the reasons.
        """
        lines = [one_line(f"{self.where(row)}: {text}") for row, text in more]
        places = [*self._bad_places, *(int(self.places[row]) for row, _ in more)]
        early = len(self._bad_places)
        ordered = Strings()
        for k in np.argsort(places, kind="stable"):
            ordered.append(self._reasons[k] if k < early else lines[k - early])
        return ordered

    def _add(self, row: Row) -> None:
        problem, captions = row.problem, ()
        if not problem:
            try:
                captions = captions_of(row, self._columns)
                self._source.check(row.name)
            except ValueError as error:
                problem = str(error)
        if problem:
            self._leave_out(self.num_rows, f"{row.where}: {problem}")
            return
        number = len(self._places)
        self._places.append(self.num_rows)
        self._where.append(row.where)
        self._names.append(row.name)
        self._keys.append(hash(row.name))
        self._contents.append(hash((row.name, captions)))
        identity = row.columns.get(ID)
        self._ids.append(hash((type(identity), identity)) if _is_identity(identity) else 0)
        for caption in captions:
            self._texts.append(caption)
        self._ends.append(len(self._texts))
        for name, value in row.columns.items():
            if name in self._columns or not isinstance(value, str):
                continue
            if name not in self._attributes:
                self._attributes[name] = ClassNames()
            self._attributes[name].put(number, value)

    def _leave_out(self, place: int, line: str) -> None:
        self._bad_places.append(place)
        self._reasons.append(one_line(line))

    def _finish(self) -> None:
        places = np.array(self._places, np.int64)
        _, first, picture = np.unique(
            np.array(self._keys, np.int64), return_index=True, return_inverse=True
        )
        # In the order of the rows, not of their hashes, which are others in each process: files
        # lie on a disk, and rows in a parquet file, in much the same order.
        order = np.argsort(first)
        first, picture = first[order], np.argsort(order)[picture]
        earlier = _earlier(np.array(self._contents, np.int64))
        reasons = {
            int(row): f"says the same of the same picture as {self._where[earlier[row]]}"
            for row in np.flatnonzero(earlier >= 0)
        }
        self.num_doubles = len(reasons)
        reasons = self._clashes(picture) | reasons
        for row, reason in reasons.items():
            self._leave_out(int(places[row]), f"{self._where[row]}: {reason}")
        kept = np.ones(len(places), bool)
        kept[list(reasons)] = False
        self._kept = np.flatnonzero(kept)
        self.places = places[self._kept]
        used, self.pictures = np.unique(picture[self._kept], return_inverse=True)
        self.pictures = self.pictures.astype(np.int32)
        self.names = Strings(self._names[int(first[k])] for k in used)
        self.captions = Groups(self._texts, np.array(self._ends, np.int64), self._kept)
        del self._names, self._keys, self._contents, self._ids, self._places

    def _clashes(self, picture: np.ndarray) -> dict[int, str]:
        """Rows whose `id` an earlier row gave to another picture, with the reason."""
        ids = np.array(self._ids, np.int64)
        if 2 * len(np.unique(ids[ids != 0])) <= len(ids):
            return {}  # it names no rows: it may be a class
        earlier = _earlier(ids)
        clashing = (ids != 0) & (earlier >= 0) & (picture[earlier] != picture)
        return {
            int(row): f"has the {ID} of {self._where[earlier[row]]}, which names another picture"
            for row in np.flatnonzero(clashing)
        }


def _is_identity(value) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""


def _earlier(keys: np.ndarray) -> np.ndarray:
    """For each key the place where it first stands, -1 where that is here. int64 (N,)."""
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    first = first[group]
    return np.where(first == np.arange(len(keys)), -1, first)


def _check_known(captions: Sequence[str], known: set[str]) -> None:
    for column in captions:
        if known and column not in known:
            raise ValueError(
                wrong("captions", "columns of the data", column, nearest(column, known))
            )
