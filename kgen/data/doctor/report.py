"""What the check of a set found, as one value."""

from dataclasses import dataclass

from kgen.data.doctor.advice import Advice
from kgen.data.doctor.complaints import Complaint
from kgen.data.doctor.measuring import PictureFacts
from kgen.data.doctor.words import ColumnFacts, Spread, Vocabulary


@dataclass(frozen=True)
class Shown:
    """A picture to show: its name, its split, its first captions."""

    name: str
    split: str
    captions: tuple[str, ...]


@dataclass(frozen=True)
class Saying:
    """Captions that speak of something: how many of all, and some of them."""

    count: int
    of: int
    examples: tuple[str, ...]

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True)
class Report:
    """What `check_data` found. `dataclasses.asdict` makes it ready for JSON.

    Attributes:
        path: Of the set.
        captions: The columns taken as captions.
        other_columns: The other columns of text.
        notes: What is to be said of the whole, such as columns that are not there.
        usable: By split, pictures that can be used, as far as was measured.
        left_out: By split, rows that cannot.
        pictures: Files named by rows.
        measured: Files among them that were opened; of large sets a sample by the hash of the name.
        complaints: What is wrong with the rows left out, by kind.
        files: Sizes and formats.
        columns: The caption columns one by one.
        captions_per_picture: In all columns together.
        words: Of all captions.
        sides: Captions that tell left from right.
        colours: Captions that name a colour.
        blank: Pictures of one plain colour: how many, and the names of some.
        copies: Groups of pictures that are copies of each other within a split.
        num_copies: Pictures that could go without loss.
        leaks: Groups that lie in train and test both.
        num_leaks: Test pictures with a copy in train.
        captions_in_both: Test pictures of which all captions stand in train, too.
        sample: Pictures to show.
        advice: What to do.
    """

    path: str
    captions: tuple[str, ...]
    other_columns: tuple[str, ...]
    notes: tuple[str, ...]
    usable: dict[str, int]
    left_out: dict[str, int]
    pictures: int
    measured: int
    complaints: tuple[Complaint, ...]
    files: PictureFacts
    columns: tuple[ColumnFacts, ...]
    captions_per_picture: Spread
    words: Vocabulary
    sides: Saying
    colours: Saying
    num_blank: int
    blank: tuple[str, ...]
    num_copies: int
    copies: tuple[tuple[Shown, ...], ...]
    num_leaks: int
    leaks: tuple[tuple[Shown, ...], ...]
    captions_in_both: int
    sample: tuple[Shown, ...]
    advice: Advice
