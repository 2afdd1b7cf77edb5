"""The experiments of a paper on SAGE, from scenario files to figures, tables and text."""
