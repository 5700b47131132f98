"""Who may log in: users, their roles and passwords."""
