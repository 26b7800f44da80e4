"""Bytes on a wire, of no particular protocol above: what the chat's transports and `socketio` both stand on."""
