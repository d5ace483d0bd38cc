"""The servers and databases that tests ask for. Each starts when the first test asks for it, once."""

pytest_plugins = [
    "tests.fixtures.collecting",
    "tests.fixtures.database",
    "tests.fixtures.mail",
    "tests.fixtures.stripe",
    "tests.fixtures.temporal",
]
