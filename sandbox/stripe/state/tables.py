"""Tables of live objects in order of creation, with the indexes that lists filter by."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from sandbox.stripe.api.errors import missing_object
from sandbox.stripe.jsontypes import Json


class Table:
    """Objects of one noun by id, oldest first; `created` never decreases because the clock never goes back."""

    def __init__(self, noun: str, *indexes: str, path_param: str = "id") -> None:
        self.noun = noun
        self._path_param = path_param
        self._rows: dict[str, Json] = {}
        self._order: list[str] = []
        self._created: list[int] = []
        self._position: dict[str, int] = {}
        self.indexed = indexes
        self._indexes: dict[str, dict[str, list[str]]] = {field: {} for field in indexes}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Json]:
        return iter(self._rows.values())

    def insert(self, row: Json) -> Json:
        id = row["id"]
        self._rows[id] = row
        self._position[id] = len(self._order)
        self._order.append(id)
        self._created.append(row.get("created", 0))
        for field in self.indexed:
            self.index(row, field)
        return row

    def index(self, row: Json, field: str) -> None:
        """Makes the row findable by the field's present value; call it when the field has changed."""
        value = row[field]
        if value is not None:
            ids = self._indexes[field].setdefault(value, [])
            if row["id"] not in ids[-1:]:
                ids.append(row["id"])

    def find(self, id: str | None) -> Json | None:
        return self._rows.get(id) if id is not None else None

    def get(self, id: str) -> Json:
        """The object that a path names, or Stripe's 404."""
        row = self._rows.get(id)
        if row is None:
            raise missing_object(self.noun, id, param=self._path_param)
        return row

    def referenced(self, id: str, *, param: str) -> Json:
        """The object that a parameter names, or Stripe's 400."""
        row = self._rows.get(id)
        if row is None:
            raise missing_object(self.noun, id, param=param, in_path=False)
        return row

    def remove(self, id: str) -> None:
        """Takes the object out; its place in the order stays so that cursors keep working."""
        del self._rows[id]

    def by(self, field: str, value: str) -> list[Json]:
        """The rows whose field has the value now, oldest first."""
        ids = sorted(self._indexes[field].get(value, ()), key=self._position.__getitem__)
        rows = (self._rows.get(id) for id in dict.fromkeys(ids))
        return [row for row in rows if row is not None and row[field] == value]

    def place_of(self, id: str, *, param: str = "id") -> int:
        """Where the row stands in the order of creation; a cursor may point at a row that is gone."""
        place = self._position.get(id)
        if place is None:
            raise missing_object(self.noun, id, param=param, in_path=False)
        return place

    def between(self, first: int, last: int, *, newest_first: bool) -> Iterator[Json]:
        """The rows of these places."""
        places = range(last - 1, first - 1, -1) if newest_first else range(first, last)
        for place in places:
            row = self._rows.get(self._order[place])
            if row is not None:
                yield row

    def bounds(self, created: Json) -> tuple[int, int]:
        """The places, first and one past the last, of what was created within gt, gte, lt and lte."""
        first, last = 0, len(self._order)
        if "gt" in created:
            first = max(first, bisect_right(self._created, created["gt"]))
        if "gte" in created:
            first = max(first, bisect_left(self._created, created["gte"]))
        if "lt" in created:
            last = min(last, bisect_left(self._created, created["lt"]))
        if "lte" in created:
            last = min(last, bisect_right(self._created, created["lte"]))
        return first, last
