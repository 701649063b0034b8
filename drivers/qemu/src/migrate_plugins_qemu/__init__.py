"""QEMU and KVM guests of libvirt, as a driver of migrate-plugins."""

from __future__ import annotations
