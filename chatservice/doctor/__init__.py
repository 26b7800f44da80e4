"""`chatservice doctor`: looks at a chat from outside, as its people do, and names what a proxy does to it."""
