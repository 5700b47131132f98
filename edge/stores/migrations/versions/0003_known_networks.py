"""Where users have logged in from lately."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_networks",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("logged_in_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "network", name="pk_known_networks"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_known_networks_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_known_networks_logged_in_at_ms", "known_networks", ["logged_in_at_ms"])
