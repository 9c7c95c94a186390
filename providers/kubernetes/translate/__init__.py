"""Kubernetes objects in, the model out: pure and total. What it does not know it reports as a gap."""

from cloudseg.providers.kubernetes.translate.translation import translate

__all__ = ["translate"]
