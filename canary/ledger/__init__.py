"""The ledger, pure: Merkle tree, signed checkpoints, entries and commitments."""
