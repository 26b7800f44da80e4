"""Several processes for one chat: a small parent that holds the sockets, starts the workers and looks after them.

Nothing in here knows the chat: the parent lives for months beside its workers, is not replaced by an upgrade,
and must not be brought down by what brings a worker down. Its pure parts are `plan`, what is wanted, and
`crew`, who is there; `sockets`, `spawning`, `hearing` and `parent` touch the system.
"""
