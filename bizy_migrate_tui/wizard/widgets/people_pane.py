"""The user the rows go to, and the users who are there already."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.plan.plan import Plan

SHOWN = 100


class PeoplePane(VerticalScroll):
    """Users before and after."""

    def __init__(self) -> None:
        super().__init__(id="people-pane")

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static("", markup=False)

    def show(self, plan: Plan) -> None:
        """Show what the plan means for users."""
        self.query_one(Static).update(people_text(plan))


def people_text(plan: Plan) -> Content:
    """A line a user: new ones first, then who is there and stays as they are."""
    user = plan.user
    mine = f"{safe_text(user.email, 100)}  ({safe_text(user.username, 100)})"
    if user.created:
        secret = "the password you gave" if plan.choices.password else "a temporary password, shown once at the end"
        lines = [
            Content.assemble(("+ new    ", "$text-success"), (mine, "b")),
            Content.styled("         owns every task and goal of this move;", "$text-muted"),
            Content.styled(f"         signs in with {secret}", "$text-muted"),
        ]
    else:
        lines = [
            Content.assemble(("= there  ", "$text-muted"), (mine, "b")),
            Content.styled("         owns every task and goal of this move;", "$text-muted"),
            Content.styled("         password and profile stay as they are", "$text-muted"),
        ]
    others = [other for other in plan.state.users if other.id != user.id]
    for other in others[:SHOWN]:
        name = f"{safe_text(other.email, 100)}  ({safe_text(other.username, 100)})"
        lines.append(Content.assemble(("= there  ", "$text-muted"), name, ("  untouched", "$text-muted")))
    return Content("\n").join(lines)
