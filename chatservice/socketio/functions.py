"""The functions that an application registers for events."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

EVERY = "*"
"""Registered under this name a function hears all events that no other hears."""


class Functions:
    """One function a name.

    Arguments are fitted as JavaScript does it: what is missing is None, what is too many is left out. A peer that
    sends too few must not be able to raise errors here.
    """

    def __init__(self) -> None:
        self._found: dict[str, Callable[..., Any]] = {}

    def on(self, name: str) -> Callable[[Function], Function]:
        """Register a function.

        :raises ValueError: if there is one of this name.
        """

        def register(function: Function) -> Function:
            if name in self._found:
                raise ValueError(f"there is a function for {name!r} already")
            self._found[name] = fitted(function)
            return function

        return register

    def find(self, name: object) -> Callable[..., Any] | None:
        """The function for an event of this name, which from a peer may be a number."""
        return self._found.get(name) if isinstance(name, str) and name != EVERY else None

    @property
    def every(self) -> Callable[..., Any] | None:
        """The function for all the rest."""
        return self._found.get(EVERY)


def fitted(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` that can be called with any number of arguments."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some of those written in C do not tell
        return function
    takes = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    most: int | None = len(takes)
    least = sum(each.default is each.empty for each in takes)
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        if least <= 1:
            return function
        most = None

    def fit(*arguments: Any) -> Any:
        if len(arguments) < least:
            arguments += (None,) * (least - len(arguments))
        return function(*arguments[:most])

    return fit
