"""Bars as SVG: the geometry of a small chart, drawn by `components/desk.html.j2`. A gap is not a zero."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One bar. `x`, `y`, `width` and `height` in units of the picture; `gap`: nothing is known of this time."""

    x: float
    y: float
    width: float
    height: float
    gap: bool
    #: What stands in the tooltip, such as "Tue 10 Nov: 41".
    title: str


@dataclass(frozen=True)
class BarChart:
    """A chart with what it says in words, for those who do not see it."""

    label: str
    width: int
    height: int
    bars: tuple[Bar, ...]


def bar_chart(
    label: str,
    points: Iterable[tuple[str, float | None]],
    *,
    width: int = 280,
    height: int = 48,
    top: float | None = None,
) -> BarChart:
    """A chart of (name, value) points from left to right; None is a gap. `label` says what is counted, and the newest value.

    `top` is the value of a bar of full height, where two charts are compared; else it is the highest one.
    """
    values = list(points)
    step = width / max(1, len(values))
    full = top or max([value for _, value in values if value is not None], default=0) or 1
    return BarChart(label, width, height, tuple(_bar(i, step, height, full, *point) for i, point in enumerate(values)))


def _bar(place: int, step: float, height: int, top: float, name: str, value: float | None) -> Bar:
    tall = 0.0 if value is None else max(1.0 if value else 0.0, value / top * (height - 2))
    words = name if value is None else f"{name}: {value:,g}"
    return Bar(
        round(place * step + step * 0.1, 2),
        round(height - tall, 2),
        round(step * 0.8, 2),
        round(tall, 2),
        value is None,
        words,
    )
