"""simsage: a calibrated discrete-event simulator of LLM and embedding serving."""
