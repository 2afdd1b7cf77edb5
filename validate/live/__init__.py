"""The control plane before real backends: the simulator's own objects on a wall clock."""
