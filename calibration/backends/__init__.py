"""Real backends as measured processes: how they are started, spoken to and stopped."""
