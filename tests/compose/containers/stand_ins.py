"""What stands for the images of others: the embedded PostgreSQL and Temporal, started as the images start theirs."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from sandbox.servers.postgres_home import INSTALLATION, PACKAGE
from sandbox.servers.temporal import program
from tests.compose.containers.image import INSTALLED, PATH, PROGRAMS, Image, with_python
from tests.compose.containers.interpolation import ComposeError

SOURCES = Path(__file__).parent / "programs"
TEMPORAL = "/opt/temporal/temporal"
# The development server keeps its state in a file of its own; the image keeps it in PostgreSQL's volume.
STATE = {"temporalio/server": {"temporal-stand-in": "/state"}}
POSTGRES = f"{INSTALLED}/{PACKAGE}/{INSTALLATION}/bin"
# As which user each image runs, and its programs by the names that the compose file calls them by.
ENTRYPOINTS = {
    "postgres": ("postgres", 999, ("docker-entrypoint.sh",)),
    "temporalio/server": ("temporal", 1000, ("temporal-server",)),
    "temporalio/admin-tools": ("temporal", 1000, ()),
    "temporalio/ui": ("temporal", 5000, ("temporal-ui",)),
}
NAMES = {
    "docker-entrypoint.sh": "docker-entrypoint.sh",
    "nc": "nc.py",
    "temporal-server": "temporal_server.py",
    "temporal-sql-tool": "temporal_sql_tool.py",
    "temporal-ui": "temporal_ui.py",
}


def stand_ins(folder: Path) -> Mapping[str, Image]:
    """Return an image for each name, without a version; they share one folder of programs."""
    folder.mkdir()
    files = with_python(folder) | {TEMPORAL: Path(program("temporal"))}
    for name, source in NAMES.items():
        place = folder / "programs" / name
        shutil.copyfile(SOURCES / source, place)
        place.chmod(0o755)
    environment = {"PATH": f"{POSTGRES}:/opt/temporal:{PATH}", "PYTHONPATH": INSTALLED, "LC_ALL": "C.UTF-8"}
    return {
        name: Image(
            files,
            environment,
            tuple(f"{PROGRAMS}/{word}" for word in words),
            user=user,
            users={user: uid},
            volumes=STATE.get(name, {}),
        )
        for name, (user, uid, words) in ENTRYPOINTS.items()
    }


def image_of(name: str, images: Mapping[str, Image]) -> Image:
    """Return what stands for an image. Raises ComposeError for one that nothing stands for."""
    found = images.get(name) or images.get(name.partition(":")[0])
    if found is None:
        raise ComposeError(f"nothing stands for the image {name}")
    return found
