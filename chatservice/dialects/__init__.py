"""Floor 1: what peers speak. Pure codecs: bytes to commands, events to bytes."""
