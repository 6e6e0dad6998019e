"""Draws the picture of an episode. Owns sizes, colours and places; picks nothing of what is shown, sends nothing.

A drawing belongs to its call: no state of the library is touched, so that it may run in a thread beside another.
The library is an extra and is loaded by the first drawing. Sides have the two colours nobody confuses, neither red
nor green, and their places: shorts above the line, longs below.
"""

from io import BytesIO
from math import isnan, nan
from typing import TYPE_CHECKING

from service.model import HOUR, MINUTE
from service.sinks.telegram.picture import Picture, hour_of, picture_of
from service.text import clock_utc, usd_en
from service.text.amounts import level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Picture", "chart", "hour_of", "picture_of"]

_INCHES, _DPI = (10.0, 5.6), 100
_MINUTES = HOUR // MINUTE
_GROUND, _GRID, _INK, _FAINT = "#11161d", "#2a323d", "#f2f4f7", "#a9b4c2"
_SHORTS, _LONGS = "#56b4e9", "#e69f00"
_TITLE, _WORDS, _SMALL, _HUGE = 17, 15, 12.5, 88
#: Signs that fit into a line of the title.
_LINE = 74
#: The smaller side keeps this part of the larger one's room, so that both can be seen.
_ROOM, _AIR = 0.18, 1.15
_TICKS_MIN = 10
#: What separates the parts of a headline.
_BETWEEN = " · "


def chart(picture: Picture) -> bytes:
    """A PNG of 1000 x 560 pixels. Raises ImportError without the extra that draws."""
    out = BytesIO()
    _figure(picture).savefig(out, format="png", dpi=_DPI, facecolor=_GROUND)
    return out.getvalue()


def _figure(picture: Picture) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # an extra; half a second to load
    from matplotlib.figure import Figure  # noqa: PLC0415  # the same

    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor=_GROUND)
    FigureCanvasAgg(figure)
    dollars = figure.add_axes((0.085, 0.155, 0.815, 0.61), facecolor=_GROUND)
    _sides(dollars, picture)
    _clock(dollars, picture)
    _price(dollars.twinx(), picture)
    _words(figure, picture)
    return figure


def _sides(axes: "Axes", picture: Picture) -> None:
    """The bars around zero."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415  # see `_figure`

    axes.spines[:].set_visible(False)
    axes.axhline(0, color=_FAINT, linewidth=1, zorder=4)
    if not picture.minutes:
        axes.set_yticks([])
        axes.set_ylim(-1, 1)
        axes.text(_MINUTES / 2, 0.25, "no orders heard in this hour", color=_INK, fontsize=_TITLE, ha="center")
        return
    at = [(start - picture.since) / MINUTE + 0.5 for start, _, _ in picture.minutes]
    longs, shorts = ([row[column] for row in picture.minutes] for column in (1, 2))
    axes.bar(at, shorts, width=0.82, color=_SHORTS, label="shorts", zorder=3)
    axes.bar(at, [-usd for usd in longs], width=0.82, color=_LONGS, label="longs", zorder=3)
    axes.grid(visible=True, axis="y", color=_GRID, linewidth=1, zorder=1)
    least = _ROOM * max(*longs, *shorts)
    axes.set_ylim(-max(*longs, least) * _AIR, max(*shorts, least) * _AIR)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda usd, _: level(usd_en(abs(usd))) if usd else "0"))


def _clock(axes: "Axes", picture: Picture) -> None:
    """Whole tens of minutes, UTC."""
    first = -(picture.since // MINUTE) % _TICKS_MIN
    ticks = range(first, _MINUTES + 1, _TICKS_MIN)
    axes.set_xlim(0, _MINUTES)
    axes.set_xticks(list(ticks), [clock_utc(picture.since + tick * MINUTE).removesuffix(" UTC") for tick in ticks])
    axes.tick_params(colors=_FAINT, labelsize=_WORDS, length=0, labelcolor=_INK)


def _price(axes: "Axes", picture: Picture) -> None:
    """The line on an axis of its own, broken where no order told a price; a minute alone is a dot. The onset."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415  # see `_figure`
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415  # see `_figure`

    axes.spines[:].set_visible(False)
    axes.tick_params(labelsize=_WORDS, length=0, labelcolor=_INK)
    prices = [nan if price is None else price for _, price in picture.prices]
    known = [index for index, price in enumerate(prices) if not isnan(price)]
    alone = [index for index in known if {index - 1, index + 1}.isdisjoint(known)]
    if known:
        at = [index + 0.5 for index in range(len(prices))]
        axes.plot(
            at,
            prices,
            color=_INK,
            linewidth=2.5,
            path_effects=[withStroke(linewidth=6, foreground=_GROUND)],
            label=f"{picture.price_name} price",
        )
        axes.scatter(
            [at[index] for index in alone],
            [prices[index] for index in alone],
            s=36,
            c=_INK,
            edgecolors=_GROUND,
            zorder=3,
        )
        axes.margins(y=0.15)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:,.7g}"))
    else:
        axes.set_yticks([])
    if picture.onset is not None:
        began = f"began {clock_utc(picture.onset)}"
        axes.axvline(
            (picture.onset - picture.since) / MINUTE, color=_INK, linewidth=1.5, linestyle=(0, (4, 3)), label=began
        )


def _words(figure: "Figure", picture: Picture) -> None:
    """Title, legend, footer; over everything the warning that no market did this."""
    figure.text(
        0.03, 0.965, _lines(picture.title), color=_INK, fontsize=_TITLE, fontweight="bold", va="top", parse_math=False
    )
    pairs = [axes.get_legend_handles_labels() for axes in figure.axes]
    shapes = [shape for found, _ in pairs for shape in found]
    labels = [label for _, found in pairs for label in found]
    legend = figure.legend(
        shapes,
        labels,
        loc="lower left",
        bbox_to_anchor=(0.075, 0.77),
        ncols=4,
        frameon=False,
        fontsize=_WORDS,
        labelcolor=_INK,
        handlelength=1.3,
        columnspacing=1.4,
        borderpad=0,
    )
    for label in legend.get_texts():
        label.set_parse_math(False)
    figure.text(0.03, 0.025, picture.footer, color=_FAINT, fontsize=_SMALL, parse_math=False)
    if picture.simulated:
        figure.text(
            0.49,
            0.45,
            "SIMULATION",
            color=_INK,
            alpha=0.2,
            fontsize=_HUGE,
            fontweight="bold",
            ha="center",
            va="center",
            rotation=14,
        )


def _lines(title: str) -> str:
    """What and where; below it how much and which side."""
    parts = title.split(_BETWEEN)
    lines = (_BETWEEN.join(parts[:2]), _BETWEEN.join(parts[2:]))
    return "\n".join(line if len(line) <= _LINE else f"{line[: _LINE - 3]}..." for line in lines)
