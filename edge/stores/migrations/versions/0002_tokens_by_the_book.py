"""Clients, key activation as a time, revocations by issuer, where sessions are used from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_clients()
    _widen_sessions()
    _widen_revocations()
    _time_signing_keys()


def _create_clients() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32)),
        sa.Column("grants", sa.JSON, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("may_introspect", sa.Boolean, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
    )


def _widen_sessions() -> None:
    for name, length in (("address", 45), ("user_agent", 256)):
        column = sa.Column(name, sa.String(length), nullable=False, server_default=sa.text("''"))
        op.add_column("sessions", column)
    op.create_index("ix_sessions_client_id", "sessions", ["client_id"])
    op.create_index("ix_sessions_idle_expires_at_ms", "sessions", ["idle_expires_at_ms"])


def _widen_revocations() -> None:
    with op.batch_alter_table("revocations") as table:
        table.add_column(
            sa.Column("issuer", sa.String(255), nullable=False, server_default=sa.text("''"))
        )
        table.alter_column("subject", type_=sa.String(255), existing_type=sa.String(64))
        table.drop_constraint(op.f("ck_revocations_kind_is_known"), type_="check")
        table.create_check_constraint(
            op.f("ck_revocations_kind_is_known"), "kind IN ('session', 'user', 'token', 'key')"
        )
        table.drop_index("ix_revocations_kind_subject")
        table.create_index("ix_revocations_expires_at_ms", ["expires_at_ms"])


def _time_signing_keys() -> None:
    op.drop_index("uq_signing_keys_active", "signing_keys")
    with op.batch_alter_table("signing_keys") as table:
        table.add_column(sa.Column("activates_at_ms", sa.BigInteger))
        table.add_column(sa.Column("retires_at_ms", sa.BigInteger))
    op.execute("UPDATE signing_keys SET activates_at_ms = created_at_ms")
    with op.batch_alter_table("signing_keys") as table:
        table.alter_column("activates_at_ms", nullable=False, existing_type=sa.BigInteger)
        table.drop_constraint(op.f("ck_signing_keys_state_is_known"), type_="check")
        table.drop_column("state")
