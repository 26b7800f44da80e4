"""A self-hosted chat that speaks every dialect: one process, one log, the same rooms for everyone."""

__version__ = "0.1.0"
