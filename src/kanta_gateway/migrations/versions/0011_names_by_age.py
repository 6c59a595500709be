"""Whether a younger entry tells of a name is found at once, however long the log is."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one step forward."""
    op.drop_index("audit_entry_name", table_name="audit_entry")
    op.create_index("audit_entry_name", "audit_entry", ["name", "at"], unique=False)
