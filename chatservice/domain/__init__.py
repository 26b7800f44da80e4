"""Floor 0: what a chat is. Standard library only; no I/O, no clock of its own, no Twisted."""
