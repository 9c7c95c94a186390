"""Kubernetes: manifests in, the estate out."""
