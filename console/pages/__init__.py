"""One module or folder an address; it draws, and imports no other page."""
