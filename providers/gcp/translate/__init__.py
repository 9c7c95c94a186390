"""From the answers of Google Cloud to the estate."""

from cloudseg.providers.gcp.translate.translation import translate

__all__ = ["translate"]
