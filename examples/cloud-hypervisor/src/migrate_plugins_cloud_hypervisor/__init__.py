"""Cloud Hypervisor's guests, as a driver of migrate-plugins."""

from __future__ import annotations
