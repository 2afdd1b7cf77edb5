"""The order in which waiting requests are dispatched, one policy a file."""
