"""cloudseg audits how finely a cloud estate is segmented."""

__version__ = "0.1.0"
