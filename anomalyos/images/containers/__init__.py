"""The outer structure of image files, read before any decoder sees them.

Each format has one module with ``scan(data) -> Container``. A scan finds where the image
ends, how large it claims to be and which bytes a decoder needs. That is cheap, allocates
nothing that depends on a number in the file, and is where bombs and polyglots are stopped.
"""
