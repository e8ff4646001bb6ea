"""A path as it is typed on the command line."""

import click

from kgen import checks


class GivenPath(click.Path):
    """A path; empty text, of an unset variable of the shell most likely, is none."""

    def convert(self, value, param, ctx):
        if value == "":
            named = param.opts[0] if isinstance(param, click.Option) else param.human_readable_name
            raise click.UsageError(checks.wrong(named, "a path", value, "Is a variable unset?"))
        return super().convert(value, param, ctx)
