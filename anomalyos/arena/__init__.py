"""The Arena's rules, difficulty and drawing of rounds: pure functions over plain values."""
