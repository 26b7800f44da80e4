"""`make bench`: the chat and its peers under the same load; see RESULTS.md for what came out."""
