"""Duly's workflows, and a client that knows nothing of Duly's classes."""

from tests.contract.conftest import foreign

__all__ = ["foreign"]
