"""Readers of the names that machines asked for: DNS query logs, firewalls that log names, and Hubble."""
