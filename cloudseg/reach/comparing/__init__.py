"""What became reachable between two estates, and what stopped."""
