"""Merchants that take part in rewards: a document checked whole, applied at once, and listed (X66 to X69)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field, TypeAdapter, model_validator
from sqlalchemy import Row, func, select

from activities.configuration.fields import Currency, Id, MethodId, Name, SlugId, minor_of
from activities.database import Database
from activities.documents import DocumentPart
from models.merchants.account import Flow
from models.reductions.reduction import ReductionSettings, Remedy
from models.tables.base import whole_row
from models.tables.returns import MerchantRow

_SETTINGS = TypeAdapter(ReductionSettings)
_MERCHANTS = select(
    MerchantRow.id,
    MerchantRow.name,
    MerchantRow.group_id,
    MerchantRow.currency,
    MerchantRow.account_id,
    MerchantRow.is_effective,
    MerchantRow.takes_payments,
    MerchantRow.flow,
    func.duly.reduction_settings(whole_row(MerchantRow)).label("settings"),
).order_by(MerchantRow.id)
_LIMITS = ("max_award", "max_day", "max_customer_day")


class ReductionSettingsPart(DocumentPart):
    """Back-end reduction settings. Amounts in major units, such as "20.00"; what is not given is as for the group."""

    is_effective: bool | None = None
    method: MethodId | None = None
    contribution_percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)] | None = None
    hold_days: Annotated[int, Field(ge=0, le=365)] | None = None
    max_award: str | None = None
    max_day: str | None = None
    max_customer_day: str | None = None
    is_newest_first: bool | None = None
    max_age_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    remedies: tuple[Remedy, ...] | None = None

    def given(self, currency: str) -> dict[str, Any]:
        """Return what was given, with amounts in minor units of a currency. Raises ValueError for one that is none."""
        given = {name: value for name, value in self.model_dump(mode="json").items() if value is not None}
        for name in _LIMITS:
            if name in given:
                given[f"{name}_minor"] = minor_of(f"reduction.{name}", given.pop(name), currency)
        return given


class MerchantGroup(DocumentPart):
    """Merchants that share settings, in one currency."""

    id: SlugId
    name: Name
    currency: Currency
    reduction: ReductionSettingsPart | None = None

    @model_validator(mode="after")
    def _limits_are_amounts(self) -> Self:
        self.settings()
        return self

    def settings(self) -> dict[str, Any] | None:
        """Return whole settings: what was given, and the defaults for the rest."""
        return None if self.reduction is None else _whole(self.reduction.given(self.currency))


class Merchant(DocumentPart):
    """A participating merchant, its own account with us, and what it sets itself."""

    id: SlugId
    name: Name
    currency: Currency
    group: SlugId | None = None
    account: Id | None = None
    is_effective: bool = True
    flow: Flow = Flow.DIRECT
    reduction: ReductionSettingsPart | None = None

    @model_validator(mode="after")
    def _limits_are_amounts(self) -> Self:
        self.settings()
        return self

    def settings(self) -> dict[str, Any] | None:
        """Return what overrides the group; without a group, whole settings."""
        if self.reduction is None:
            return None
        given = self.reduction.given(self.currency)
        return given if self.group else _whole(given)


class MerchantsDocument(DocumentPart):
    """The whole document. What it does not name stays as it is."""

    merchant_groups: tuple[MerchantGroup, ...] = ()
    merchants: tuple[Merchant, ...] = ()

    @model_validator(mode="after")
    def _settings_make_sense(self) -> Self:
        settings = [one.settings() for one in self.merchant_groups] + [one.settings() for one in self.merchants]
        for given in settings:
            _whole(given or {})
        return self


class Merchants:
    """Applies and reads merchants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, document: MerchantsDocument) -> None:
        """Write all or nothing. Raises RuleBrokenError naming a group or account that is not there."""
        groups = [{"id": one.id, "name": one.name, "reduction": one.settings()} for one in document.merchant_groups]
        merchants = [
            {
                "id": one.id,
                "group_id": one.group,
                "name": one.name,
                "currency": one.currency,
                "account_id": one.account,
                "is_effective": one.is_effective,
                "flow": one.flow,
                "reduction": one.settings(),
            }
            for one in document.merchants
        ]
        await self._database.call("apply_merchants", groups={"rows": groups}, merchants={"rows": merchants})

    async def everything(self) -> Sequence[Row[Any]]:
        """Return every merchant with the settings that hold for it."""
        return await self._database.read(_MERCHANTS)


def _whole(given: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = _SETTINGS.dump_python(_SETTINGS.validate_python(given), mode="json")
    return settings
