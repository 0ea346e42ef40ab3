"""A reader of the pages of `sfml ui` without a browser, in the process of the server."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from small import APPLY, Small

from sfml.ui.readings import Readings
from sfml.ui.rendering import Site
from sfml.ui.server import serving
from sfml.ui.specs import SpecOptions


class _Text(HTMLParser):
    """The text of a page; words of different elements are apart."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += data.split()


@dataclass(frozen=True)
class Got:
    """An answer: its status, headers and HTML."""

    status: int
    headers: Mapping[str, str]
    html: str

    @property
    def text(self) -> str:
        reader = _Text()
        reader.feed(self.html)
        return " ".join(reader.words)

    def fields(self) -> dict[str, str]:
        """The hidden fields of its form."""
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.html))


@dataclass
class Reader:
    """Somebody who reads pages with the cookie that the address gave."""

    address: str
    cookie: str = ""
    readings: Readings | None = None
    """What the server of this process reads, to be looked into."""

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    def get(self, path: str, **headers: str) -> Got:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> Got:
        return self._ask("POST", path, urlencode(form), headers)

    def opened(self) -> Got:
        """The page at the address; the cookie is kept."""
        parts = urlsplit(self.address)
        got = self.get(f"{parts.path}?{parts.query}")
        self.cookie = got.headers.get("set-cookie", "").partition(";")[0]
        return got

    def until(self, path: str, words: str, seconds: float = 60) -> Got:
        """The page once it says so; it is asked for as its script would."""
        deadline = time.monotonic() + seconds
        while words not in (got := self.get(path)).text:
            assert time.monotonic() < deadline, got.text
            time.sleep(0.05)
        return got

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Got:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            named["cookie"] = self.cookie
        if body is not None:
            named["content-type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            text = answer.read().decode()
            return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
        finally:
            connection.close()


def deployed_of(small: Small, spec: str, steps: str) -> Small:
    """Deploy this pipeline, and its steps in `mine`, in place of the small one."""
    (small.folder / "specs" / "small.yaml").write_text(spec, encoding="utf-8")
    (small.folder / "steps" / "mine.py").write_text(steps, encoding="utf-8")
    code, text = small.run(*APPLY)
    assert code == 0, text
    return small


@contextmanager
def page_of(
    folder: Path, *, target: str | None = None, read_only: bool = False, specs: tuple[str, ...] = ()
) -> Iterator[Reader]:
    """The page of a project's folder, opened by one reader."""
    options = SpecOptions(specs, target, {}, "ada")
    with chdir(folder), serving(options, Site(folder.name, target, read_only)) as served:
        reader = Reader(served.address, readings=served.readings)
        reader.opened()
        yield reader
