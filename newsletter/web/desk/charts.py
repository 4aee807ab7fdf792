"""Bars as SVG: the geometry of a small chart, drawn by `components/desk.html.j2`. A gap is not a zero."""

from collections.abc import Collection, Iterable
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
    #: Drawn as an outline: what it stands for went wrong.
    marked: bool = False


@dataclass(frozen=True)
class BarChart:
    """A chart with what it says in words, for those who do not see it."""

    label: str
    width: int
    height: int
    bars: tuple[Bar, ...]

    @property
    def path(self) -> str:
        """All bars as one shape, for a small chart in each row of a list: a page of them stays small."""
        drawn = (bar for bar in self.bars if bar.height)
        return "".join(f"M{bar.x:g} {self.height}h{bar.width:g}v{-bar.height:g}h{-bar.width:g}z" for bar in drawn)


def bar_chart(
    label: str,
    points: Iterable[tuple[str, float | None]],
    *,
    width: int = 280,
    height: int = 48,
    top: float | None = None,
    marked: Collection[int] = (),
    unit: str = "",
) -> BarChart:
    """A chart of (name, value) points from left to right; None is a gap. `label` says what is counted, and the newest value.

    `top` is the value of a bar of full height, where two charts are compared; else it is the highest one. `marked` holds the
    places of points that stand for something that went wrong; `unit` follows each value in its tooltip.
    """
    values = list(points)
    step = width / max(1, len(values))
    full = top or max([value for _, value in values if value is not None], default=0) or 1
    bars = (_bar(i, step, height, full, *point, unit=unit, marked=i in marked) for i, point in enumerate(values))
    return BarChart(label, width, height, tuple(bars))


def _bar(
    place: int, step: float, height: int, top: float, name: str, value: float | None, *, unit: str, marked: bool
) -> Bar:
    least = height / 4 if marked else 1.0 if value else 0.0
    tall = 0.0 if value is None else max(least, value / top * (height - 2))
    words = name if value is None else f"{name}: {value:,.15g} {unit}".rstrip()
    return Bar(
        round(place * step + step * 0.1, 2),
        round(height - tall, 2),
        round(step * 0.8, 2),
        round(tall, 2),
        value is None,
        words,
        marked,
    )
