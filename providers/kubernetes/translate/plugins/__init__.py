"""Which network plugin runs in a cluster, whether it enforces policies, and what that makes of them.

``effect`` applies it to a cluster that is being translated.
"""

from cloudseg.providers.kubernetes.translate.plugins.detection import detect
from cloudseg.providers.kubernetes.translate.plugins.plugin import ASSUMED, UNENFORCED_STAGE, Plugin

__all__ = ["ASSUMED", "UNENFORCED_STAGE", "Plugin", "detect"]
