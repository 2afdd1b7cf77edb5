"""Which backend a request goes to, one policy a file."""
