"""UI-17: what the style sheets put on each other can be read, in both themes and all twelve hues."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.colours import Colour, colour, contrast, variables

CHECKOUT = Path(__file__).parents[2]
CSS = CHECKOUT / "web" / "app" / "css"
TOKENS = (CSS / "tokens.css").read_text("utf-8")
HUES = range(12)
TEXT, CONTROL = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11, both level AA

THEMES = {
    "light": variables(TOKENS.partition(":root {")[2].partition("}")[0]),
    "dark": variables(TOKENS.partition(':root[data-theme="dark"] {')[2].partition("}")[0]),
}

# Text or line, and all it is seen on; what rules set together is found by itself, see below.
PAIRS = [
    (TEXT, "ink", "paper desk sheet wash indigo-wash cinnabar-wash amber-wash"),
    (TEXT, "ink2", "paper desk sheet wash cinnabar-wash"),
    (TEXT, "ink3", "paper desk sheet wash cinnabar-wash"),
    (TEXT, "indigo", "paper desk sheet cinnabar-wash amber-wash indigo-wash"),
    (TEXT, "cinnabar", "paper desk sheet cinnabar-wash"),
    (TEXT, "bamboo", "paper desk wash"),
    (TEXT, "amber", "paper desk wash"),
    (TEXT, "paper", "ink ink2"),
    (TEXT, "on-indigo", "indigo"),
    (TEXT, "on-cinnabar", "cinnabar"),
    (CONTROL, "edge", "paper desk sheet"),
]


@pytest.fixture(params=THEMES)
def tokens(request: pytest.FixtureRequest) -> dict[str, str]:
    """What holds in a theme; the dark one says only what is other."""
    return THEMES["light"] | THEMES[request.param]


def hues() -> dict[int, str]:
    """The twelve."""
    return {int(n): hue for n, hue in re.findall(r'\[data-hue="(\d+)"\] \{ --h: (\d+); \}', TOKENS)}


def rules() -> Iterator[tuple[str, dict[str, str]]]:
    """Every rule of ours that sets both a colour and what is below it."""
    for path in sorted(CSS.glob("*.css")):
        for selector, block in re.findall(r"([^{}]+)\{([^{}]*)\}", path.read_text("utf-8")):
            sets = {
                name.strip(): value.strip() for name, _, value in (one.partition(":") for one in block.split(";"))
            }
            below = sets.get("background", sets.get("background-color", "none"))
            if "color" in sets and below not in ("none", "transparent"):
                yield f"{path.name}: {selector.strip()}", {"color": sets["color"], "background": below}


@pytest.mark.parametrize(("least", "ink", "papers"), PAIRS, ids=[pair[1] for pair in PAIRS])
def test_tokens(tokens: dict[str, str], least: float, ink: str, papers: str) -> None:
    """Every token that is written or drawn with is seen on everything it is used on."""
    for paper in papers.split():
        found = contrast(colour(tokens[f"--{ink}"], tokens), colour(tokens[f"--{paper}"], tokens))
        assert found >= least, (ink, paper, round(found, 2))


def test_rules(tokens: dict[str, str]) -> None:
    """Where a rule sets a colour and its background, the one is read on the other, over whatever is below."""
    found = list(rules())
    assert len(found) > 12
    papers = [colour(tokens[name], tokens) for name in ("--paper", "--desk", "--sheet", "--cinnabar-wash")]
    for where, sets in found:
        for hue in HUES if "--h" in str(sets) else [0]:
            here = {**tokens, "--h": hues()[hue]}
            for paper in papers if "transparent" in sets["background"] else papers[:1]:
                below = colour(sets["background"], here, paper)
                ink = "var(--ink)" if sets["color"] == "inherit" else sets["color"]
                assert contrast(colour(ink, here), below) >= TEXT, (where, hue)


@pytest.mark.parametrize("hue", HUES)
def test_hues(tokens: dict[str, str], hue: int) -> None:
    """A name is read on paper, on a message for oneself and in the search; so is what stands on a seal."""
    assert sorted(hues()) == list(HUES) and len(set(hues().values())) == len(HUES)
    base = (CSS / "base.css").read_text("utf-8")
    here = {**tokens, "--h": hues()[hue]}
    name = re.search(r"\.nick \{ color: oklch\((.+)\); font", base)
    seal = re.search(r"\.seal \{[^}]*background: (oklch\(.+?\)); color: (#\w+);", base)
    assert name and seal
    ink = colour(f"oklch({written(name[1], here)})", here)
    for paper in ("paper", "cinnabar-wash", "desk", "sheet"):
        assert contrast(ink, colour(tokens[f"--{paper}"], tokens)) >= TEXT, paper
    assert contrast(colour(seal[2], here), colour(seal[1], here)) >= TEXT


def written(text: str, tokens: dict[str, str]) -> str:
    """With the custom properties put in."""
    return re.sub(r"var\((--[\w-]+)\)", lambda found: tokens[found[1]], text)


def test_dark_is_said_twice_alike() -> None:
    """The theme that is chosen and the one that the device asks for are the same."""
    asked = TOKENS.partition("@media (prefers-color-scheme: dark)")[2].partition("{")[2].partition("{")[2]
    assert variables(asked.partition("}")[0]) == THEMES["dark"]


def test_known_colours() -> None:
    """The measure itself: black on white is 21; two of the colours are those that Chromium paints for them."""
    black, white = colour("#000", {}), colour("#ffffff", {})
    assert contrast(black, white) == pytest.approx(21) and contrast(white, white) == 1
    assert eight_bits(colour("oklch(47% .09 212)", {})) == (0, 103, 120)
    assert eight_bits(colour("oklch(80% .09 352)", {})) == (236, 166, 196)
    assert eight_bits(colour("color-mix(in srgb, #000 12%, transparent)", {})) == (224, 224, 224)


def eight_bits(of: Colour) -> tuple[int, ...]:
    """As pixels have it."""
    return tuple(round(255 * value) for value in of)


def test_one_paper_everywhere() -> None:
    """What browsers and systems paint around the page is the page's own paper, also on the small page."""
    script = (CHECKOUT / "web" / "scripts" / "page.js").read_text("utf-8")
    small = CHECKOUT / "chatservice" / "static"
    lite, lite_css = ((small / name).read_text("utf-8") for name in ("lite.html", "lite.css"))
    for theme, tokens in THEMES.items():
        paper = tokens["--paper"]
        assert f'{theme}: "{paper}"' in script
        assert f'media="(prefers-color-scheme: {theme})" content="{paper}"' in lite
        assert f"--paper: {paper};" in lite_css
    built = small / "app" / "manifest.webmanifest"
    if built.exists():  # tests/web/test_page_build.py builds it; here it is looked at where it is
        manifest = json.loads(built.read_text("utf-8"))
        assert manifest["theme_color"] == manifest["background_color"] == THEMES["light"]["--paper"]
