"""Knowledge Base: defects, causes and remedies, to explore, search and edit."""
