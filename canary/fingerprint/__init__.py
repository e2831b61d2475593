"""Marks in real rows.

Written so that a leaked row names who was given it, with a bound that holds for any attack (docs/fingerprint.md).
"""
