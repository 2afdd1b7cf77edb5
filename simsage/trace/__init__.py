"""trace.json: what every backend and every request did in one replication, for a trace viewer."""
