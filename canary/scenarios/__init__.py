"""The demo's stories: each drives the public commands on real files, servers and databases."""
