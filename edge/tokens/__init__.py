"""Access tokens, the keys that sign them, sessions and their refresh tokens, and revocation."""
