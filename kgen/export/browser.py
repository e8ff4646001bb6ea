"""A page of an export in a browser without a window, to see what it draws."""

import base64
import contextlib
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator, Sequence
from importlib import util
from pathlib import Path

import numpy as np

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
DRAW = """async ([captions, rows]) => {
  const drawn = [];
  const took = [];
  for (const [n, caption] of captions.entries()) {
    const start = performance.now();
    const { data } = await window.painter.draw(caption, new Float32Array(rows[n]));
    took.push(performance.now() - start);
    drawn.push(btoa(String.fromCharCode(...data)));
  }
  return { drawn, took };
}"""
TIMEOUT = 60_000  # milliseconds, for the runtime's 9 MB and the model


def browser_program() -> str | None:
    """The path of a Chromium that can be driven; None where there is none, or no Playwright."""
    if util.find_spec("playwright") is None:
        return None
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def draw_in_browser(
    folder: Path,
    captions: Sequence[str],
    noise: np.ndarray,
    program: str,
    page_of: str = "index.html",
) -> tuple[np.ndarray, str, list[float]]:
    """Opens the page in `folder` and lets it draw.

    Args:
        folder: What a server would serve.
        captions: B captions, which the page's own tokenizer reads.
        noise: float32 (B, Z).
        program: The browser's path.
        page_of: The page's address in the folder.

    Returns:
        uint8 (B, H, W, 3), the browser's version, and the milliseconds that each picture took.

    Raises:
        RuntimeError: The page does not run; the message is the page's.
    """
    from playwright.sync_api import Error, sync_playwright

    complaints: list[str] = []
    with served(folder) as address, sync_playwright() as playwright:
        # As root, which containers often are, Chromium runs without its sandbox only.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("requestfailed", lambda request: complaints.append(f"no {request.url}"))
            page.goto(f"{address}/{page_of}")
            page.wait_for_function(
                "window.painter || document.body.dataset.failed", timeout=TIMEOUT
            )
            failed = page.evaluate("document.body.dataset.failed")
            if failed:
                raise RuntimeError(failed)
            told = page.evaluate(DRAW, [list(captions), noise.tolist()])
            version = browser.version
        except Error as error:
            raise RuntimeError("; ".join(complaints) or error.message.splitlines()[0]) from None
        finally:
            browser.close()
    rgba = [np.frombuffer(base64.b64decode(text), np.uint8) for text in told["drawn"]]
    size = int((len(rgba[0]) // 4) ** 0.5)
    return np.stack(rgba).reshape(-1, size, size, 4)[..., :3], version, told["took"]


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves a folder to this machine alone, as any web server would: its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        """Nothing: an export prints what it wrote."""
