"""What the plan means, in the sentences of the preview and of the question before the run."""

from textual.content import Content

from bizy_migrate_tui.display import counted, human_seconds, safe_text
from bizy_migrate_tui.migration.plan.plan import Plan
from bizy_migrate_tui.migration.postgresql.target import TargetState
from bizy_migrate_tui.migration.run.outcome import Outcome
from bizy_migrate_tui.wizard.clock_words import zone_sentence
from bizy_migrate_tui.wizard.safe import toned
from bizy_migrate_tui.wizard.target_words import NOUNS
from bizy_migrate_tui.wizard.widgets.facts import home_path
from bizy_migrate_tui.wizard.widgets.findings_pane import place
from bizy_migrate_tui.wizard.wording import listed, plan_summary, plan_summary_with_owner

NAME_LIMIT = 80


def plan_facts(plan: Plan, *, proposed: bool) -> Content:
    """The plan in a few sentences: what, whose, and by which clock; `proposed` says that the data itself chose the clock."""
    lines = [toned("bad" if plan.blocked else "good", plan_summary_with_owner(plan))]
    zone, until = plan.choices.zone, plan.choices.created_at_utc_until
    if proposed and until is not None:
        said = f"The data shows: UTC until task {until:,}, then {zone}. z changes it."
        lines.append(toned("warning", said))
    else:
        lines.append(toned("note", f"{zone_sentence(zone, until)} z changes it."))
    return Content("\n").join(lines)


def blocked_because(plan: Plan) -> str:
    """What forbids the run, and where it can be decided."""
    finding = plan.blocked[0]
    what = f"{place(finding)}, {counted(finding.count, 'row', 'rows')}: {finding.action}"
    way = "Space opens the choices." if finding.choices else "Settings or data have to change."
    return f"{way} What stops the run: {safe_text(what, 160).rstrip('.')}."


def as_predicted(outcome: Outcome) -> bool:
    """Whether a run did with every table what the plan says."""
    return dict(outcome.tables) == dict(outcome.plan.tables)


def trial_sentence(outcome: Outcome) -> str:
    """How the dry run compares with the prediction."""
    rows = sum(table.inserted for table in outcome.tables.values())
    took = human_seconds(outcome.seconds)
    done = f"{counted(rows, 'row was', 'rows were')} loaded, every cell proven, all rolled back, in {took}."
    verdict = "It went as predicted." if as_predicted(outcome) else "It did not go as predicted."
    return f"{done} {verdict}"


def run_facts(plan: Plan) -> dict[str, str]:
    """What will be written where: the question before the run."""
    user = plan.user
    whose = f"{safe_text(user.email, NAME_LIMIT)}, {'a new user' if user.created else 'who is there and stays as is'}"
    facts = {"Into": plan.target.masked_url(), "Rows": plan_summary(plan), "Belongs to": whose}
    snapshot = plan.inventory.snapshot
    if snapshot.is_backup:
        facts["Backup"] = home_path(snapshot.path)
    return facts


def unchanged_facts(before: TargetState, now: TargetState) -> tuple[dict[str, str], bool]:
    """The rows of the target before the run and now, and whether they are the same."""
    return {"Before": _rows(before), "Now": _rows(now)}, before.tables == now.tables


def _rows(found: TargetState) -> str:
    if not found.tables:
        return "none of the web interface's tables"
    return listed([counted(rows, *NOUNS.get(name, (f"row of {name}", f"rows of {name}"))) for name, rows in found.tables.items()])
