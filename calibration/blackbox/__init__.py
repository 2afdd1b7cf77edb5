"""Calibration of an engine that is seen only through an OpenAI-compatible endpoint."""
