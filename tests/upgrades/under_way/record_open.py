"""Keeps the histories of all that is open under the last release's workers, for the replay of later ones.

Run `python -m tests.upgrades.under_way.record_open` once for a release, when it is kept: what its workers began,
every later release goes on with. With a folder as its argument it writes them there, to be compared.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from models.workflow_ids import card_id, dispute_id, refund_id
from sandbox.workers import running_worker
from tests.replay.histories import FOLDER, keep
from tests.upgrades.deployed_release import deployed
from tests.upgrades.kept_release import releases
from tests.upgrades.under_way.open_business import OpenBusiness
from tests.upgrades.under_way.open_returns import WATCHED_REFUNDS


async def record(kept: Path) -> None:
    """Open the business of the last release, and keep the history of each workflow of it in a folder."""
    release = releases()[-1]
    with tempfile.TemporaryDirectory(prefix="duly-open-") as made:
        folder = Path(made)
        await asyncio.to_thread(folder.chmod, 0o711)
        async with deployed(release, folder) as duly:
            business = OpenBusiness(duly, folder)
            async with running_worker(duly.stack, name="old", argv=duly.worker_of(duly.code)):
                await business.open()
            # Some differ by what comes afterwards alone: their histories are the same until then.
            begun = {
                (one.stage.answers, one.stage.fault, one.stage.before): one for one in reversed(business.receivables)
            }
            ids = {f"collection-{one.stage.name}": one.handle.id for one in begun.values()}
            ids |= {f"refund-{name}": refund_id(name) for name in WATCHED_REFUNDS}
            ids |= {"dispute": dispute_id(business.returns.disputes[0]), "card": card_id("card_on_page")}
            ids |= {"reduction": await business.returns.reduction()}
            for name, workflow_id in ids.items():
                handle = duly.client.get_workflow_handle(workflow_id)
                await keep(f"open-{release.version}-{name.replace(' ', '-')}", handle, kept)


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
