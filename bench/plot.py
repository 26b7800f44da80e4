"""fanout.svg: bars of deliveries a second, and what a delivery costs by the number of clients.

Plain SVG with its colours in a style sheet, so that it follows the reader's light or dark scheme.
"""

from __future__ import annotations

from html import escape
from math import log10

from bench.measuring import Results
from bench.scenarios import BY_NAME, SCALED, SIZES

WIDTH = 920
BAR, GAP, LABELS = 15, 6, 210
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px } .small { fill: #57606a; font-size: 11px }
  .grid { stroke: #d0d7de; fill: none } .peer { fill: #afb8c1 } .ours { fill: #0969da }
  .line { fill: none; stroke-width: 2.5 } .c0 { stroke: #0969da } .c1 { stroke: #1a7f37 } .c2 { stroke: #9a6700 }
  .c3 { stroke: #cf222e } .c4 { stroke: #8250df } circle { stroke: none }
  circle.c0, text.c0 { fill: #0969da } circle.c1, text.c1 { fill: #1a7f37 } circle.c2, text.c2 { fill: #9a6700 }
  circle.c3, text.c3 { fill: #cf222e } circle.c4, text.c4 { fill: #8250df } text[class] { stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #3d444d } .peer { fill: #656c76 }
    .ours { fill: #4493f8 } .c0 { stroke: #4493f8 } .c1 { stroke: #3fb950 } .c2 { stroke: #d29922 }
    .c3 { stroke: #f85149 } .c4 { stroke: #ab7df8 }
    circle.c0, text.c0 { fill: #4493f8 } circle.c1, text.c1 { fill: #3fb950 } circle.c2, text.c2 { fill: #d29922 }
    circle.c3, text.c3 { fill: #f85149 } circle.c4, text.c4 { fill: #ab7df8 }
  }
"""


def plot(results: Results) -> str:
    """The whole picture."""
    y, parts = 8, []
    for name in ("fanout-1", "fanout-16"):
        drawn, y = _bars(name, results, y)
        parts.append(drawn)
    drawn, y = _lines(results, y + 8)
    parts.append(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}"'
        ' role="img">'
        f"<title>Fan-out: deliveries a second, and CPU a delivery</title><style>{STYLE}</style>\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _bars(name: str, results: Results, y: int) -> tuple[str, int]:
    scenario = BY_NAME[name]
    values = []
    for server in scenario.servers:
        figures = results.get((name, server.name))
        if isinstance(figures, dict):
            values.append((server, figures["per_s"]))
    values.sort(key=lambda pair: -pair[1])
    most = max((value for _, value in values), default=1.0)
    parts = [_text(0, y + 14, f"{scenario.title}, 1 000 clients: deliveries a second", "title")]
    y += 26
    for server, value in values:
        width = (WIDTH - LABELS - 80) * value / most
        parts.append(_text(LABELS - 8, y + 12, server.name, anchor="end"))
        kind = "ours" if server.run == "chat" else "peer"
        parts.append(f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>')
        parts.append(_text(LABELS + width + 6, y + 12, f"{value:,.0f}", "small"))
        y += BAR + GAP
    return "\n".join(parts), y + 14


def _lines(results: Results, y: int) -> tuple[str, int]:
    left, right, height = 60, 220, 220
    lines = []
    for server in SCALED:
        found = [(size, results.get((f"scale-{size}", server.name))) for size in SIZES]
        lines.append((server, [(size, f["us_each"]) for size, f in found if isinstance(f, dict) and f["us_each"]]))
    costs = [cost for _, points in lines for _, cost in points] or [1.0]
    low, high = log10(min(costs)) - 0.1, log10(max(costs)) + 0.1

    def across(size: int) -> float:
        return left + (WIDTH - left - right) * (log10(size) - 1) / 3

    def up(cost: float) -> float:
        return y + 26 + height * (high - log10(cost)) / (high - low)

    parts = [_text(0, y + 14, "Server CPU a delivery (µs, window 16) by clients in the room", "title")]
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low <= log10(tick) <= high:
            parts.append(f'<path class="grid" d="M{left} {up(tick):.1f}H{WIDTH - right}"/>')
            parts.append(_text(left - 8, up(tick) + 4, f"{tick:g}", "small", "end"))
    parts += [_text(across(size), y + height + 44, f"{size:,}", "small", "middle") for size in SIZES]
    labels: list[float] = []
    ends = sorted((points[-1][1], i) for i, (_, points) in enumerate(lines) if points)
    for _, i in reversed(ends):
        server, points = lines[i]
        path = "L".join(f"{across(size):.1f} {up(cost):.1f}" for size, cost in points)
        parts.append(f'<path class="line c{i}" d="M{path}"/>')
        parts += [f'<circle class="c{i}" cx="{across(n):.1f}" cy="{up(c):.1f}" r="3.5"/>' for n, c in points]
        at = max(up(points[-1][1]) + 4, labels[-1] + 15 if labels else 0)
        labels.append(at)
        parts.append(_text(across(points[-1][0]) + 10, at, server.name, f"c{i}"))
    return "\n".join(parts), y + height + 60


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
