"""What a query finds and does not find, through the whole engine."""

from __future__ import annotations

import pytest

from monitor.watches.engine import ItemText
from tests.monitor.watches.conftest import Compile, Find
