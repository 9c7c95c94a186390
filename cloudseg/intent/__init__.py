"""The intended traffic: which segment may open what to which. Everything else is denied."""

from cloudseg.intent.matrix import IntentMatrix
from cloudseg.intent.review import IntentWarning, WarningKind, intent_warnings
from cloudseg.intent.values import Allowance, Intent

__all__ = ["Allowance", "Intent", "IntentMatrix", "IntentWarning", "WarningKind", "intent_warnings"]
