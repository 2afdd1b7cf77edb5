"""The vLLM replica: its scheduler as a pure model, and the SimPy process around it."""
