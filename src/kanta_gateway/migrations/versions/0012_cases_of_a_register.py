"""Cases of supervision are of one controller's register; those from before are seen by who sees every register."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one step forward."""
    op.add_column("supervision_case", sa.Column("controller", sa.String(length=128), server_default="", nullable=False))
