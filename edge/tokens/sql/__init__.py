"""Sessions, revocations and signing keys in SQL."""
