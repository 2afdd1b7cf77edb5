"""Live and simulated requests compared: distances, intervals, the floor, conclusions, the verdict."""
