"""Pages as HTML."""

from __future__ import annotations

from collections.abc import Callable

from sfml.base.record import record
from sfml.ui.pages import Page
from sfml.ui.templating import environment


@record
class Site:
    """What all pages show: the project, the target that was asked for, and whether anything may be changed."""

    project: str
    target: str | None
    read_only: bool
    exported: str = ""
    """When the pages were exported; empty for pages that are served."""


class Renderer:
    """Makes HTML of pages."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._templates = environment()

    def html(self, page: Page, to: Callable[[str], str], *, partial: bool = False) -> str:
        """The whole page, or only the parts that may have changed."""
        template = self._templates.get_template(page.template)
        return template.render(
            {
                "title": page.title,
                "every": page.every if not self.site.exported else 0,
                "base": "live.html" if partial else "base.html",
                "partial": partial,
                "to": to,
                "here": "",
                "project": self.site.project,
                "target": self.site.target,
                "read_only": self.site.read_only,
                "exported": self.site.exported,
                **page.values,
            }
        )
