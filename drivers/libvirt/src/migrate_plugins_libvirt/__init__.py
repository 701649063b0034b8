"""What drivers of libvirt's hypervisors share; itself no driver of migrate-plugins."""

from __future__ import annotations
