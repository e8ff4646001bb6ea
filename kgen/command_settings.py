"""Settings of a run, as the command line says them."""

import json

import click

from kgen import checks
from kgen.config import Config
from kgen.model_files import CONFIG
from kgen.presets import preset_config

DEFAULT_PRESET = "scenes_64"


def settings_of_run(preset, data, config_file, given, out, resume) -> Config:
    """Preset < file < flags; a resumed run starts from its own configuration.

    Args:
        preset: Name of the preset to start from, or None: the usual one.
        data: Path of the captioned pictures, or None.
        config_file: Path of a JSON file of settings, or None.
        given: Values of the flags by key, such as `training.seed`.
        out: The run's folder, a `Path`, or None.
        resume: Whether the run in it is to go on.

    Raises:
        click.UsageError: There is no run to resume, nor anything to train on.
        ValueError: A setting is unknown or wrong.
    """
    there = out / CONFIG if out else None
    if resume and preset is None and there and there.is_file():
        config = Config.read(there)
    else:
        told = preset or config_file or "data.path" in given
        if resume and out and not told:  # a mistyped folder, most likely
            hint = "Name the run's folder; for a new run say what to train on: DATA or --preset."
            raise click.UsageError(checks.wrong("--out", "a run to resume", str(out), hint))
        usual = "pictures_64" if data else DEFAULT_PRESET
        config = preset_config(usual if preset is None else preset)
        config = config.updated({"name": out.resolve().name} if out else {})
    if config_file:
        config = config.updated_by(config_file)
    return with_settings(config, given)


def with_settings(config: Config, given) -> Config:
    """`config` with settings by key, such as `training.seed`, over it."""
    settings = {}
    for key, value in given.items():
        section, dot, name = key.rpartition(".")
        if dot:  # all of a section at once: some settings need each other
            settings.setdefault(section, {})[name] = value
        else:
            config = config.updated({key: value})
    return config.updated(settings)


def parse_setting(text) -> tuple:
    """Key and value of KEY=VALUE; a value that is no JSON is text.

    Raises:
        click.UsageError: It has no `=`, or its key more than two parts.

    Example:
        >>> parse_setting("training.seed=7"), parse_setting("data.captions=text")
        (('training.seed', 7), ('data.captions', 'text'))
    """
    key, equals, value = text.partition("=")
    if not equals:
        hint = "Example: training.seed=7."
        raise click.UsageError(checks.wrong("--set", "KEY=VALUE", text, hint))
    if key.count(".") > 1:
        hint = "Keys have two parts, such as training.seed."
        raise click.UsageError(checks.wrong("--set", "a known key", key, hint))
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value
