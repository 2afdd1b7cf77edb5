"""Control planes: pure state machines that are told the time."""
