"""Everything that touches joserfc and `cryptography`: keys, signatures, sealed keys."""
