"""Libraries that only some stores need. Whoever lacks one is told so in one sentence, wherever it is found out."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

from chatservice.domain.ports import LogError

MISSING: Mapping[str, str] = {
    "hiredis": "Redis needs the hiredis library: pip install hiredis",
    "psycopg": "PostgreSQL needs the psycopg library: pip install 'psycopg[binary]'",
}


def need(name: str) -> ModuleType:
    """The library. It is imported, not only looked for: psycopg may be there without libpq, which it needs.

    :param name: a row of `MISSING`.
    :raises LogError: if it cannot be used.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise LogError(MISSING[name]) from error
