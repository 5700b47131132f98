"""The tables. Their history is in `migrations/`; a test holds both together.

Times are integers, milliseconds since the epoch, of the database's clock. Lists of roles and
scopes are JSON: they are always read and written whole, next to the row they belong to.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users: Final = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", String(64), nullable=False),
    # NFKC and case-folded: what makes two names the same. Folding may lengthen a name. In the order
    # of code points on every database, for pages begin where the one before ended.
    Column(
        "username_key",
        String(256).with_variant(String(256, collation="C"), "postgresql"),
        nullable=False,
        unique=True,
    ),
    Column("email", String(320)),
    Column("full_name", String(200)),
    Column("roles", JSON, nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("is_demo", Boolean, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("client_id", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("rotated_at_ms", BigInteger, nullable=False),
    Column("idle_expires_at_ms", BigInteger, nullable=False),
    Column("absolute_expires_at_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger),
    CheckConstraint("generation >= 1", name="generation_counts_from_one"),
)

# The change list of revocations: rows are only added, and are of no use after `expires_at_ms`,
# when every token they could speak of has expired by itself.
revocations: Final = Table(
    "revocations",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),  # only INTEGER counts up by itself there
        primary_key=True,
        autoincrement=True,
    ),
    Column("kind", String(8), nullable=False),
    # A session's id, a user's id, or a token's `jti`.
    Column("subject", String(64), nullable=False),
    # Of a user: tokens with a lower epoch are dead.
    Column("epoch", Integer),
    Column("recorded_at_ms", BigInteger, nullable=False, index=True),
    Column("expires_at_ms", BigInteger, nullable=False),
    CheckConstraint("kind IN ('session', 'user', 'token')", name="kind_is_known"),
    CheckConstraint("(kind = 'user') = (epoch IS NOT NULL)", name="users_have_an_epoch"),
    Index("ix_revocations_kind_subject", "kind", "subject"),
)

signing_keys: Final = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("algorithm", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Column("sealed_key", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    CheckConstraint("state IN ('pending', 'active', 'retiring', 'retired')", name="state_is_known"),
    # Two replicas that start at the same moment both make a key; this lets one of them keep it.
    Index(
        "uq_signing_keys_active",
        "state",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
)
