"""Google Cloud: how a project is read."""
