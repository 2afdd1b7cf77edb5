"""The simulator's own clients, sending over HTTP on the wall clock."""
