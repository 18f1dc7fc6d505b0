"""What the data itself says about its clock, taken as the default where the user said nothing."""

from dataclasses import dataclass, field

from bizy_migrate_tui.migration.clock import zone_named
from bizy_migrate_tui.migration.plan.plan import Plan
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.wizard.state import WizardState


@dataclass(slots=True)
class ClockProposal:
    """Proposes “UTC until” once for each copy of the data and zone; what the user decides afterwards stands."""

    _taken: int | None = None
    _asked: set[tuple[str, str]] = field(default_factory=set)

    def take(self, state: WizardState, inventory: Inventory) -> None:
        """Take what the evidence proposes, if nothing was said about it yet. Raises UsageError (unknown-zone)."""
        question = (inventory.snapshot.sha256, state.zone)
        if state.utc_until is None and question not in self._asked:
            state.utc_until = self._taken = inventory.evidence.utc_until(zone_named(state.zone))
        self._asked.add(question)

    def decided(self, inventory: Inventory, zone: str) -> None:
        """The user chose for themselves."""
        self._taken = None
        self._asked.add((inventory.snapshot.sha256, zone))

    def holds_in(self, plan: Plan) -> bool:
        """Whether the plan is made with what was proposed."""
        return self._taken is not None and self._taken == plan.choices.created_at_utc_until
