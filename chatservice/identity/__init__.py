"""Floor 1: who somebody is, and how they prove it."""
