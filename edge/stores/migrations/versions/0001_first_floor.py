"""Users, sessions, revocations and signing keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_users()
    _create_sessions()
    _create_revocations()
    _create_signing_keys()


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column(
            "username_key",
            sa.String(256).with_variant(sa.String(256, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("email", sa.String(320)),
        sa.Column("full_name", sa.String(200)),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.Column("is_demo", sa.Boolean, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("username_key", name="uq_users_username_key"),
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("rotated_at_ms", sa.BigInteger, nullable=False),
        sa.Column("idle_expires_at_ms", sa.BigInteger, nullable=False),
        sa.Column("absolute_expires_at_ms", sa.BigInteger, nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("generation >= 1", name=op.f("ck_sessions_generation_counts_from_one")),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])


def _create_revocations() -> None:
    op.create_table(
        "revocations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("epoch", sa.Integer),
        sa.Column("recorded_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revocations"),
        sa.CheckConstraint(
            "kind IN ('session', 'user', 'token')", name=op.f("ck_revocations_kind_is_known")
        ),
        sa.CheckConstraint(
            "(kind = 'user') = (epoch IS NOT NULL)",
            name=op.f("ck_revocations_users_have_an_epoch"),
        ),
    )
    op.create_index("ix_revocations_kind_subject", "revocations", ["kind", "subject"])
    op.create_index("ix_revocations_recorded_at_ms", "revocations", ["recorded_at_ms"])


def _create_signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("algorithm", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("sealed_key", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
        sa.CheckConstraint(
            "state IN ('pending', 'active', 'retiring', 'retired')",
            name=op.f("ck_signing_keys_state_is_known"),
        ),
    )
    op.create_index(
        "uq_signing_keys_active",
        "signing_keys",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
