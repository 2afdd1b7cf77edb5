"""The court: every measured run that the simulator is held against, in one table."""
