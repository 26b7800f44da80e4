"""Whether what is on a page has the room that it needs: looked at in the page itself, by the boxes it has."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

# Whatever is written must be inside of all that hides what sticks out, of its button, and of the window. A
# scroller may hide what it scrolls to; three dots are for what people write, not for the page's own words.
_CUT = """(own) => {
  const wrongs = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) wrongs.push(`the page is ${root.scrollWidth} wide, the window ${innerWidth}`);
  const told = ({ data, parentElement }) =>
    `"${data.trim().slice(0, 50)}" in ${parentElement.closest("[class], [id]")?.outerHTML.slice(0, 60)}`;
  const shown = document.querySelector("dialog[open]") ?? document.body;
  const walker = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const isShown = text.data.trim() && text.parentElement.checkVisibility({ visibilityProperty: true });
    if (!isShown || text.parentElement.closest(".vh, .skip, noscript, [aria-hidden=true].gutter")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const rects = [...range.getClientRects()].filter((rect) => rect.width);
    const scrolls = { X: false, Y: false };
    const sides = { X: ["left", "right"], Y: ["top", "bottom"] };
    for (let box = text.parentElement; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (style.display === "inline" || style.display === "contents") continue;
      const edge = box.getBoundingClientRect();
      for (const axis of ["X", "Y"]) {
        const overflow = style[`overflow${axis}`];
        const isDotted = axis === "X" && style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
        const isFree = overflow === "visible" && !box.matches("button, select, kbd, [role=option]");
        const [from, to] = sides[axis];
        const isOut = rects.some((rect) => rect[from] < edge[from] - 1.5 || rect[to] > edge[to] + 1.5);
        const isScroller = overflow === "auto" || overflow === "scroll";
        const isAllowed = isScroller || isFree || (isDotted && !text.data.includes(own));
        if (isOut && !isAllowed && !scrolls[axis])
          wrongs.push(`${told(text)} is cut ${axis} by ${box.className || box.tagName}`);
        scrolls[axis] ||= isScroller || isDotted;
      }
      if (style.position === "fixed") break;
    }
    const leaves = rects.some((rect) => rect.left < -1 || rect.right > innerWidth + 1);
    if (!scrolls.X && leaves) wrongs.push(`${told(text)} leaves the window`);
  }
  for (const field of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
    if (!field.checkVisibility({ visibilityProperty: true }) || field.value) continue;
    const style = getComputedStyle(field);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = style.font;
    const padding = (...sides) => sides.reduce((sum, side) => sum + parseFloat(style[`padding${side}`]), 0);
    const height = field.clientHeight - padding("Top", "Bottom");
    const lines = field.tagName === "INPUT" ? 1 : Math.round(height / parseFloat(style.lineHeight));
    const space = lines * (field.clientWidth - padding("Left", "Right"));
    if (pen.measureText(field.placeholder).width > space) wrongs.push(`"${field.placeholder}" is cut`);
  }
  return wrongs;
}"""

# Links inside of a sentence are as high as the sentence (WCAG 2.2, 2.5.8); what a label names is pressed by that.
_SMALL = """(least) => {
  const root = document.querySelector("dialog[open]") ?? document;
  const targets = [...root.querySelectorAll("button, a[href], input, select, textarea, [role=option], summary")];
  const wrongs = [];
  for (const target of targets) {
    const isShown = target.checkVisibility({ visibilityProperty: true });
    if (!isShown || target.closest(".text p, .text li, .skip")) continue;
    const { width, height } = (target.closest("label.check") ?? target).getBoundingClientRect();
    if (width < least - 0.5 || height < least - 0.5)
      wrongs.push(`${Math.round(width)}×${Math.round(height)} ${target.outerHTML.slice(0, 90)}`);
  }
  return wrongs.slice(0, 12);
}"""

# WCAG 2.2, 1.4.12.
_SPACING = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important }
    * { word-spacing: .16em !important }
    p { margin-bottom: 2em !important }`);
  document.adoptedStyleSheets = [sheet];
}"""


def cut(page: Page, own: str = "\0") -> Any:
    """What is written and cannot be read whole, a line each.

    :param own: words with this in them are the page's own, and may not be shortened by three dots either.
    """
    return page.evaluate(_CUT, own)


def small(page: Page, least: int) -> Any:
    """What can be pressed and is smaller, a line each; in pixels."""
    return page.evaluate(_SMALL, least)


def space_out(page: Page) -> None:
    """As a reader does who needs more space between lines, letters and words."""
    page.evaluate(_SPACING)
