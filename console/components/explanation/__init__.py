"""Parts that show why an inspection came out as it did; Inspector and Forensics share them."""
