"""A folder of configuration in a temporary place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.config.right import RIGHT, Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the right configuration with some of its files replaced; the answer is its folder."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        folder = tmp_path / "told"
        for name, text in {**RIGHT, **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            path.chmod(0o644)
        return folder

    return write
