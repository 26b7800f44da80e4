"""A small Redis client for Twisted, on hiredis alone: it stands alone and knows nothing of the chat.

One connection for commands (`Commands`: pipelined, each with a deadline), one for subscriptions (`Subscriptions`:
each confirmed), both kept alive by `Link`. `blocking` asks a few questions before there is a reactor.
"""
