"""What Chromium makes of the pages that simsage writes."""
