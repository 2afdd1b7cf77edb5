"""The engine: pure, deterministic, without I/O beside loading scenarios and profiles."""
