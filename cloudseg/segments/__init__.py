"""Segments: named parts of an estate, chosen by tags, labels, names, groups or addresses."""

from cloudseg.segments.choice import INTERNET, NO_CHOICE, Choice, Segment
from cloudseg.segments.globs import glob_fits
from cloudseg.segments.labels import DEFAULT_LABELS, Labels, LabelShare, label_shares, labels_of
from cloudseg.segments.segmentation import (
    OutsidePiece,
    Overlap,
    Segmentation,
    resolve_segments,
    segments_by_labels,
)

__all__ = [
    "DEFAULT_LABELS",
    "INTERNET",
    "NO_CHOICE",
    "Choice",
    "LabelShare",
    "Labels",
    "OutsidePiece",
    "Overlap",
    "Segment",
    "Segmentation",
    "glob_fits",
    "label_shares",
    "labels_of",
    "resolve_segments",
    "segments_by_labels",
]
