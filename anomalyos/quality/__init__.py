"""What is watched over time: the data that comes in, and how it moves away from what was learned."""
