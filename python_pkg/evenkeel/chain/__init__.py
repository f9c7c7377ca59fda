"""Transport, heads, signers, transactions and the journal: everything that touches a chain or a disk."""
