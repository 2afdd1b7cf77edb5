"""Real LLM servers whose forward pass is the wait for a profile's step time."""
