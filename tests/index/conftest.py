"""What the tests of saved indexes and of stores share."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip fsync: after a killed process, its writes are there anyway."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
