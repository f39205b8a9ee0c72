"""Fixtures that the tests share."""

import json
from pathlib import Path
from typing import Any

import pytest
from gizwits_codec import Product

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"


def product_named(name: str) -> Product:
    """Return the product of a definition in the repository."""
    return Product.open(FIXTURES / f"{name}.json")


def vectors(name: str) -> list[Any]:
    """Return the test vectors of the Rust crates."""
    loaded: list[Any] = json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())
    return loaded


@pytest.fixture
def product() -> Product:
    """The air conditioner of the vendor's page."""
    return product_named("air-conditioner")
