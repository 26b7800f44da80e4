"""The client side of chat.v1 without any I/O: frames in, events and frames out, timers as values."""
