"""What is known of defects: the graph of causes and remedies, and search in plain language."""
