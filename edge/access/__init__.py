"""Who is asking, and may they: credentials, principal, rules and the decision point."""
