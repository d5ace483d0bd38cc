"""Tomorrow's Collection: it checks what is owed before anything else. Once gated by a patch, once not."""

from temporalio import workflow

from models.collections.collection import CollectionRequest, CollectionResult
from workflows.collections.collection import Collection

PATCH = "checks-first-what-is-owed"


@workflow.defn(name="Collection")
class PatchedCollection(Collection):
    """What decision 0013 asks for: executions that are open go on as they began."""

    @workflow.init
    def __init__(self, request: CollectionRequest) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: CollectionRequest) -> CollectionResult:
        """Look first, where that does not contradict a history."""
        if workflow.patched(PATCH):
            await self._is_still_owed()
        return await super().run(request)


@workflow.defn(name="Collection")
class CarelessCollection(Collection):
    """The same change without a patch."""

    @workflow.init
    def __init__(self, request: CollectionRequest) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: CollectionRequest) -> CollectionResult:
        """Look first, whatever a history says."""
        await self._is_still_owed()
        return await super().run(request)
