"""From the raw answers of Azure to the model: :func:`translate`, pure and total."""

from cloudseg.providers.azure.translate.translation import translate

__all__ = ["translate"]
