"""Evidence in, verdict out.

Pure, with a bound on false accusation that holds for any attack (docs/verdict.md).
"""
