"""What `simsage profiles` shows, one file a view."""
