"""Which captioned pictures a configuration means."""

from kgen.config import DataConfig
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.folders import load_captioned_folder
from kgen.data.scenes import load_scenes

# Training and test scenes differ in their compositions already; apart seeds make every detail new.
TEST_SEED = 1_000_003


def load_pictures(
    config: DataConfig, image_size: int, seed: int = 0, split: str = "train"
) -> CaptionedPictures:
    """Reads the captioned pictures that `config` names, or paints the procedural scenes.

    Args:
        config: Path, caption columns and how pictures are made square; or how many scenes.
        image_size: Height and width of the pictures, in pixels.
        seed: Fixes which scenes are painted.
        split: `train` or `test`; of the scenes, `test` are the held-out compositions.

    Raises:
        FileNotFoundError: There is nothing at the path.
        ValueError: There are no such caption columns, no such background, or too many bad rows.
        SourceLostError: The data went away, or its disk failed.
    """
    if config.path:
        columns = tuple(name.strip() for name in config.captions.split(","))
        return load_captioned_folder(
            config.path,
            image_size,
            columns,
            split,
            config.fit,
            config.background,
            config.max_bad_share,
        )
    if split == "test":
        return load_scenes(config.num_scenes, image_size, seed + TEST_SEED, held_out=True)
    return load_scenes(config.num_scenes, image_size, seed)
