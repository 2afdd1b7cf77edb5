"""The figures of a run, one file each."""
