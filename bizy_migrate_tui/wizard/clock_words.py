"""What the evidence on clocks says, in plain language."""

from bizy_migrate_tui.migration.clock import zone_named
from bizy_migrate_tui.migration.source.evidence import ClockEvidence, Jump, Sighting

IDS_NAMED = 5


def evidence_lines(evidence: ClockEvidence, zone: str) -> tuple[str, ...]:
    """One sentence for each thing that speaks for or against the zone. Raises UsageError (unknown-zone)."""
    lines = []
    proposal = evidence.utc_until(zone_named(zone))
    if proposal is not None:
        jump = evidence.jumps[0]
        lines.append(
            f"Task {jump.after} was made, by its time, {_span(jump)} before task {proposal}. That is what the switch of bizy "
            f"from UTC to local time looks like: UTC until task {proposal}, {zone} after it."
        )
    elif evidence.backward_jumps == 1:
        jump = evidence.jumps[0]
        lines.append(f"Task {jump.after} was made, by its time, {_span(jump)} before task {jump.before}.")
    elif evidence.backward_jumps:
        lines.append(f"{evidence.backward_jumps:,} times a task was made, by its time, before the one with the lower id.")
    lines += _sighted(evidence.completed_before_created, "task was", "tasks were", "completed before being created")
    lines += _sighted(evidence.updated_before_created, "goal was", "goals were", "updated before being created")
    lines += _sighted(
        evidence.later_than_snapshot, "task was", "tasks were", f"made, if read as {zone}, after the copy was taken"
    )
    return tuple(lines) or ("No time contradicts another.",)


def zone_sentence(zone: str, utc_until: int | None) -> str:
    """How the times of the source are read."""
    if utc_until is None:
        return f"Times are read as {zone} and stored as UTC."
    return f"Creation times are UTC until task {utc_until:,}; from there on, times are read as {zone}. Stored as UTC."


def _sighted(sighting: Sighting, one: str, many: str, what: str) -> list[str]:
    if not sighting.count:
        return []
    named = ", ".join(str(id_) for id_ in sighting.ids[:IDS_NAMED])
    more = " …" if sighting.count > IDS_NAMED else ""
    return [f"{sighting.count:,} {one if sighting.count == 1 else many} {what}: {named}{more}."]


def _span(jump: Jump) -> str:
    hours, rest = divmod(round(jump.seconds / 60), 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"
