"""Which requests are let in, one policy a file."""
