"""What runs in production may be given away: each package says its licence, and it is one that we take."""

from importlib.metadata import metadata

import pytest
from packaging.utils import canonicalize_name

from tests.house.packages import pins, wanted
from tests.house.source import ROOT

# Permissive ones, and those whose duties end at their own files or at a library that may be exchanged.
TAKEN = (
    "0BSD",
    "Apache",
    "BSD",
    "ISC",
    "LGPL-3.0-only",
    "LGPLv2+",
    "MIT",
    "MPL",
    "Mozilla Public License 2.0",
    "PSF",
    "Public Domain",
    "Python Software Foundation",
)
# Packages with a choice of licences, and the one by which we have them.
CHOSEN = {"text-unidecode": "Artistic License"}
# Packages whose metadata name no licence, and the one that they come with: Saxon's home edition is under MPL 2.0.
UNNAMED = {"saxonche": "MPL-2.0"}
IN_PRODUCTION = sorted(
    {
        *pins(ROOT / "requirements-runtime.lock"),
        *(canonicalize_name(requirement.name) for requirement in wanted(ROOT / "pyproject.toml")),
    }
)


@pytest.mark.parametrize("name", IN_PRODUCTION)
def test_a_package_has_a_licence_that_we_take(name: str) -> None:
    about = metadata(name).json
    classified = [one for one in about.get("classifier", ()) if one.startswith("License ::")]
    named = str(
        about.get("license_expression") or "; ".join(classified) or about.get("license") or UNNAMED.get(name, "")
    )

    assert any(taken in named for taken in (*TAKEN, CHOSEN.get(name, TAKEN[0]))), named
    assert "GNU Affero" not in named
    assert "GPL" not in named.replace("LGPL", "") or name in CHOSEN
