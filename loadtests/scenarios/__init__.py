"""The scenarios: each file is a locustfile, and its name is that of the scenario."""
