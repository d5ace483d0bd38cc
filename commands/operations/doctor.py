"""`doctor`: is everything that Duly needs there, and as it must be?"""

from commands.options import Json
from commands.runner import perform


def doctor(as_json: Json = False) -> None:
    """Check every setting and connection, and say what is wrong and what to do: exit code 1 when anything is.

    Settings; the database with its schema, its role and its server; Temporal with its namespace, its search
    attributes and the workers on each queue; the gateway's key and mode; the clocks of gateway,
    database and this machine; the mail server.
    """
    from commands.operations.doctor_work import examine

    perform(examine, as_json=as_json)
