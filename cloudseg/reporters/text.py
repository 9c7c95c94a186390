"""Text from outside, made safe to show; the functions lie in ``cloudseg.text``, which loads no reporter."""

from cloudseg.text import amount, valid, visible

__all__ = ["amount", "valid", "visible"]
