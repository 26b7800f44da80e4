"""End-to-end tests: real processes, real clients, a real browser."""

import pytest

# Their asserts shall tell as much as those in the tests.
pytest.register_assert_rewrite("e2e.browsing", "e2e.ourpage", "e2e.peers", "e2e.raw", "e2e.server")
