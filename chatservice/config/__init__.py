"""What the operator asked for: a table of options (table.py), what was said where (settings.py), what it means."""

from chatservice.config.reading import Config, read_config
from chatservice.config.settings import FILES, BadConfig, Given, Setting, Settings
from chatservice.config.table import GROUPS, OPTIONS, Option

__all__ = [
    "FILES",
    "GROUPS",
    "OPTIONS",
    "BadConfig",
    "Config",
    "Given",
    "Option",
    "Setting",
    "Settings",
    "read_config",
]
