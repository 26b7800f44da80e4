"""Colours as style sheets write them, and how well one is read on another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import cos, radians, sin

Colour = tuple[float, float, float]
"""Red, green, blue in sRGB, each from 0 to 1."""

_VARIABLE = re.compile(r"var\((--[\w-]+)\)")
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.I)
_OKLCH = re.compile(r"oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)")
_MIX = re.compile(r"color-mix\(in srgb, (.+) ([\d.]+)%, transparent\)")


def variables(block: str) -> dict[str, str]:
    """The custom properties that a block of declarations sets."""
    return {name: value.strip() for name, value in re.findall(r"(--[\w-]+):\s*([^;]+);", block)}


def colour(text: str, tokens: Mapping[str, str], below: Colour = (1, 1, 1)) -> Colour:
    """What stands for a colour in a style sheet.

    :param tokens: the custom properties that hold there.
    :param below: what shines through where it is transparent.
    :raises ValueError: if it is none of those that our style sheets use.
    """
    while found := _VARIABLE.search(text):
        text = text.replace(found[0], tokens[found[1]])
    if found := _MIX.fullmatch(text):
        share = float(found[2]) / 100
        above = colour(found[1], tokens)
        red, green, blue = (share * one + (1 - share) * other for one, other in zip(above, below, strict=True))
        return red, green, blue
    if found := _HEX.fullmatch(text):
        digits = found[1] if len(found[1]) == 6 else "".join(2 * digit for digit in found[1])
        red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        return red, green, blue
    if found := _OKLCH.fullmatch(text):
        return _oklch(float(found[1]) / 100, float(found[2]), float(found[3]))
    raise ValueError(text)


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21 (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _encoded(value: float) -> float:
    value = min(1.0, max(0.0, value))  # what sRGB cannot show is shown as its nearest
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _luminance(of: Colour) -> float:
    return sum(weight * _linear(value) for weight, value in zip((0.2126, 0.7152, 0.0722), of, strict=True))


def _oklch(lightness: float, chroma: float, hue: float) -> Colour:
    """CSS Color 4, section 10.3, "oklch() to sRGB"; the numbers are of the Oklab definition."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _encoded(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
        _encoded(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
        _encoded(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short),
    )
