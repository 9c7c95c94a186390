"""Microsoft Azure: how a subscription is read."""
