"""Arena: a game against the AI."""
