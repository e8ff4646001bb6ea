"""What kgen's HTML pages share: one file that needs nothing beside it, without scripts."""

import base64
import io
import re
from collections.abc import Iterable
from html import escape

from PIL import Image

from kgen.page_style import STYLE


def html_page(title: str, header: str, sections: Iterable[tuple[str, str]]) -> str:
    """A page of sections.

    Args:
        title: Text, for the window.
        header: HTML above the sections.
        sections: Heads, which are text, with their HTML; those without HTML are left out.
    """
    body = "".join(
        f"<section><h2>{escape(head)}</h2>{html}</section>" for head, html in sections if html
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<header>{header}</header><main>{body}</main></body></html>\n"
    )


def tiles(pairs: Iterable[tuple[str, str]]) -> str:
    """What is looked for first: large text, each with a small line beneath."""
    cells = (f"<div><b>{escape(big)}</b><span>{escape(small)}</span></div>" for big, small in pairs)
    return f'<div class="tiles">{"".join(cells)}</div>'


def prose(text: str) -> str:
    """Escaped, with what stands between ` as code.

    Example:
        >>> prose("a < `b`")
        'a &lt; <code>b</code>'
    """
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def picture_uri(picture: Image.Image, most_bytes: int, quality: int = 82) -> str:
    """A picture as a page holds it: PNG, or JPEG where that would take more than `most_bytes`."""
    stored, kind = _stored(picture, "PNG", optimize=True), "png"
    if len(stored) > most_bytes:
        stored, kind = _stored(picture, "JPEG", quality=quality), "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(stored).decode()}"


def _stored(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
