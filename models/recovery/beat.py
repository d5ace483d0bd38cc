"""What a database counts and others remember: from it a database that was restored is known."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Beat:
    """How far a database has counted. The epoch is raised when a restore is declared, the number all the time."""

    installation: str
    epoch: int
    number: int

    def is_behind(self, remembered: "Beat") -> bool:
        """Say whether the database had counted as far before: then it has forgotten it. No beat is given twice."""
        is_same = self.installation == remembered.installation
        return is_same and (self.epoch, self.number) <= (remembered.epoch, remembered.number)


def parse_beat(text: str) -> Beat | None:
    """Read a beat as `str` of its parts has it, separated by blanks; None for anything else."""
    parts = text.split()
    if len(parts) != 3 or not all(part.isdecimal() for part in parts[1:]):
        return None
    return Beat(parts[0], int(parts[1]), int(parts[2]))


def write_beat(beat: Beat) -> str:
    """Return a beat as one line, which `parse_beat` reads."""
    return f"{beat.installation} {beat.epoch} {beat.number}"
