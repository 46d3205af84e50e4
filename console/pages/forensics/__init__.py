"""Forensics: any past inspection, explained in depth."""
