"""Alerts: who is told of an incident, when, and in which form; no canary value ever stands in one."""
