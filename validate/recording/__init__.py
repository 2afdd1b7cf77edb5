"""Recordings: live replays in files, written as they end and read again."""
