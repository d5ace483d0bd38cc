"""Somebody who is signed in to the console."""

from dataclasses import dataclass

from models.console.roles import ConsoleRole, Permission, is_allowed


@dataclass(frozen=True)
class ConsoleUser:
    """Who is signed in, and as what, as it is now. With `merchants` they see the customers of those alone."""

    id: str
    role: ConsoleRole
    merchants: tuple[str, ...] = ()

    def may(self, permission: Permission) -> bool:
        """Tell whether they may do something."""
        return is_allowed(self.role, permission)
