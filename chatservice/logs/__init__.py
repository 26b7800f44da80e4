"""Floor 1: what survives a restart. Durable, ordered, gapless per room."""
