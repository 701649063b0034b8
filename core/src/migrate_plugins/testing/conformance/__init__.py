"""The conformance kit: what every driver and every policy has to keep, one check for each rule."""

from __future__ import annotations
