"""The ladder of LiteRT files: the same model in fewer and fewer bits."""

from dataclasses import dataclass

from kgen.runtime.precisions import file_name

PARTS = ("model", "encoder", "generator")


@dataclass(frozen=True)
class Rung:
    """One precision, and how near the model its pictures have to be.

    Attributes:
        name: `float32` and so on.
        most_difference: Greatest difference of a number in [-1, 1]; `None`: no such gate.
        least_psnr_db: Least peak signal-to-noise ratio of all pictures, in dB; `None` likewise.
        most_match_points: How far the mean match with the captions may lie from the model's, in
            hundredths; `None` likewise. Only where the model has a matcher.
        packed: Whether G's last block is drawn in packed pixels, for integer kernels.
    """

    name: str
    most_difference: float | None = None
    least_psnr_db: float | None = None
    most_match_points: float | None = None
    packed: bool = False

    def file(self, part: str) -> str:
        """Name of the file of `model`, `encoder` or `generator`."""
        return file_name(part, self.name)


RUNGS = {
    rung.name: rung
    for rung in (
        Rung("float32", most_difference=1e-4),
        Rung("float16", least_psnr_db=40),
        Rung("dynamic", least_psnr_db=40, packed=True),
        Rung("int8", least_psnr_db=30, most_match_points=1, packed=True),
    )
}
