"""The paper's report.html: its text on one page, with an index, figures in place and tables that sort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from simsage.figures.catalogue import Drawn
from simsage.report.parts import frame, inlined, templates


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the index: a section, and the page of the run behind it, if there is one."""

    anchor: str
    title: str
    run: str | None


def paper_page(text: str, runs: Sequence[str], drawn: Sequence[Drawn]) -> str:
    """The page of the Markdown ``text``, whose sections from the first are those of the ``runs``.

    ``runs`` are paths of their pages, relative to this one. An image ``figures/NAME.svg`` becomes the figure
    drawn under that name. HTML in the text is shown, never obeyed.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    for name, rule in (("image", _image), ("table_open", _table_open), ("table_close", _table_close)):
        markdown.add_render_rule(name, rule)
    tokens = markdown.parse(text)
    index = list(_index(tokens, runs))
    figures = {f"figures/{figure.name}.svg": str(svg) for figure, svg in inlined(drawn)}
    body = Markup(markdown.renderer.render(tokens, markdown.options, figures))  # noqa: S704
    return templates().get_template("paper.html.j2").render(index=index, body=body, **frame())


def _index(tokens: Sequence[Token], runs: Sequence[str]) -> Iterator[Entry]:
    """The sections, each of which gets its anchor."""
    opened = (
        place for place, token in enumerate(tokens) if (token.type, token.tag) == ("heading_open", "h2")
    )
    for number, place in enumerate(opened):
        anchor = f"section-{number + 1}"
        tokens[place].attrs["id"] = anchor
        yield Entry(anchor, tokens[place + 1].content, runs[number] if number < len(runs) else None)


def _image(
    self: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, figures: Mapping[str, str]
) -> str:
    token = tokens[place]
    svg = figures.get(str(token.attrs["src"]))
    return escapeHtml(token.content) if svg is None else f'<span class="figure">{svg}</span>'


def _table_open(*_: object) -> str:
    return '<div class="scroll"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"
