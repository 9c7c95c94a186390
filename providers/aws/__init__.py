"""Amazon Web Services: how an account is read."""
