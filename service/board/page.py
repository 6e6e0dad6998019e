"""One open page: its controls, its areas, and what of a picture is new to it. Reads no store, holds no words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.elements.echart import EChart
from nicegui.elements.html import Html

from service.board import lists
from service.board.chart import options, table
from service.board.phrases import Phrases
from service.board.shown import Shown
from service.model import ALL

if TYPE_CHECKING:
    from nicegui.element import Element
    from nicegui.events import GenericEventArguments

#: A year, in seconds: so long the browser remembers.
_REMEMBER_S = 31_536_000
THEMES: Mapping[str, bool | None] = {"auto": None, "light": False, "dark": True}


def remember(name: str, value: str) -> str:
    """JavaScript that keeps `value`, an expression, in the browser's memory under `name`."""
    return f"document.cookie = '{name}=' + encodeURIComponent({value}) + ';path=/;max-age={_REMEMBER_S};samesite=lax'"


class Page:
    """What one browser sees. `picks` is told of another asset; call `build` inside the page's client."""

    def __init__(self, words: Phrases, asset: str, theme: str) -> None:
        self.asset = asset
        self.words = words
        self._theme = theme
        self._areas: dict[str, Html] = {}
        self._html: dict[str, str] = {}
        self._chart: EChart | None = None
        self._picker: Element | None = None
        self._assets: tuple[str, ...] | None = None
        self._shown: Shown | None = None
        self._last_alert: str | None = None
        self._reads_table = False

    def build(self, shown: Shown) -> None:
        """Everything, with what is known now."""
        words = self.words
        ui.html(f"<a class=skip href='#figures'>{words.controls.skip}</a>", sanitize=False)
        self._area("simulation", "strip simulation")
        self._area("unready", "strip unready").props("role=alert")
        ui.element("div").classes("strip").props(f'id=stale role=alert data-words="{words.stale}"')
        self._area("news", "unseen").props("role=status aria-live=polite")
        with ui.element("header").classes("top"):
            self._controls()
        with ui.element("div").classes("figures").props("id=figures tabindex=-1"):
            self._panels(shown)
        ui.html(f"<footer>{words.no_advice} <a href=docs>{words.controls.docs}</a></footer>", sanitize=False)
        self.show(shown)

    def _area(self, name: str, classes: str) -> Html:
        self._areas[name] = ui.html("", sanitize=False).classes(classes)
        return self._areas[name]

    def _controls(self) -> None:
        controls = self.words.controls
        ui.html(self.words.title, sanitize=False, tag="h1")
        self._area("clock", "clock")
        ui.element("div").classes("space")
        with ui.element("label"):
            ui.html(controls.market, sanitize=False, tag="span")
            self._picker = ui.element("select").props("id=market")
            keep = remember("cascade_market", "e.target.value")
            self._picker.on("change", self._picked, js_handler=f"(e) => {{ {keep}; emit(e.target.value); }}")
        other = f"<a href='?lang={controls.other_code}' hreflang={controls.other_code} lang={controls.other_code}>"
        ui.html(f"{other}{controls.other_language}</a>", sanitize=False)
        dark = ui.dark_mode(THEMES[self._theme])
        button = ui.element("button").props("type=button id=theme")
        with button:
            label = ui.html(controls.theme[self._theme], sanitize=False, tag="span")

        def turn() -> None:
            names = list(THEMES)
            self._theme = names[(names.index(self._theme) + 1) % len(names)]
            dark.value = THEMES[self._theme]
            label.set_content(controls.theme[self._theme])
            ui.run_javascript(remember("cascade_theme", f"'{self._theme}'"))

        button.on("click", turn)

    def _panels(self, shown: Shown) -> None:
        words = self.words
        with ui.element("section").classes("numbers").props("aria-labelledby=title-numbers"):
            ui.html(words.numbers, sanitize=False, tag="h2").classes("unseen").props("id=title-numbers")
            self._area("numbers", "cards")
        with self._panel("bars", words.bars):
            ui.html(words.bars_about, sanitize=False, tag="p").classes("about")
            with ui.element("div").props("role=img") as self._picture_label:
                self._chart = ui.echart(options(shown.market(self.asset), words), renderer="svg").classes("plot")
            with ui.element("details") as details:
                ui.html(words.as_table, sanitize=False, tag="summary")
                self._area("table", "table").props("tabindex=0")
            details.on("toggle", self._opened, js_handler="(e) => emit(e.target.open)")
        with self._panel("episodes", words.episodes):
            self._area("episodes", "list")
        with self._panel("context", words.beside):
            self._area("beside", "facts")
        with self._panel("alerts", words.alerts):
            self._area("alerts", "scroll").props("tabindex=0")
        with self._panel("tape", words.tape):
            self._area("tape", "scroll").props("tabindex=0")
        with self._panel("venues", words.venues):
            self._area("venues", "scroll").props("tabindex=0")

    def _panel(self, name: str, title: str) -> "Element":
        section = ui.element("section").classes(f"panel {name}").props(f"aria-labelledby=title-{name}")
        with section:
            ui.html(title, sanitize=False, tag="h2").props(f"id=title-{name}")
        return section

    async def _picked(self, event: "GenericEventArguments") -> None:
        await self.picks(str(event.args))

    async def picks(self, asset: str) -> None:
        """Another asset; whoever has the pages replaces this."""
        raise NotImplementedError(asset)

    def _opened(self, event: "GenericEventArguments") -> None:
        self._reads_table = bool(event.args)
        if self._shown is not None:
            self.show(self._shown)

    def show(self, shown: Shown) -> None:
        """Send what differs from what this page has."""
        self._shown = shown
        areas = dict(shown.areas(self.asset, self.words))
        areas["news"] = self._news(shown)
        if self._reads_table:
            areas["table"] = shown.once(
                ("table", self.asset, self.words.code), lambda: table(shown.market(self.asset), self.words)
            )
        for name, html in areas.items():
            if self._html.get(name) != html:
                self._html[name] = html
                self._areas[name].set_content(html)
        self._draw(shown)
        self._offer(shown)

    def _draw(self, shown: Shown) -> None:
        drawn = shown.chart(self.asset, self.words)
        if self._chart is not None and self._html.get("chart") != drawn.mark:
            self._html["chart"] = drawn.mark
            self._chart.options.clear()
            self._chart.options.update(drawn.options)
            self._picture_label.props(f'aria-label="{drawn.label}"')

    def _offer(self, shown: Shown) -> None:
        """The picker's entries; another list only when there are other coins."""
        names = tuple(dict.fromkeys((ALL, *shown.assets, self.asset)))
        if self._picker is None or names == self._assets:
            return
        self._assets = names
        self._picker.clear()
        with self._picker:
            for name in names:
                chosen = " selected" if name == self.asset else ""
                text = self.words.all_coins if name == ALL else name
                ui.html(text, sanitize=False, tag="option").props(f'value="{name}"{chosen}')

    def _news(self, shown: Shown) -> str:
        """An alert that came while this page was open, for ears; empty at first."""
        newest = next(iter(lists.told(shown.picture, self.asset)), None) if shown.picture else None
        mark = newest.id if newest else ""
        before, self._last_alert = self._last_alert, mark
        if newest is None or before is None or before == mark:
            return self._html.get("news", "")
        return shown.news(newest, self.words)
