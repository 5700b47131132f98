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
    Column("client_id", String(64), nullable=False, index=True),
    Column("scopes", JSON, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("rotated_at_ms", BigInteger, nullable=False),
    Column("idle_expires_at_ms", BigInteger, nullable=False, index=True),
    Column("absolute_expires_at_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger),
    # Of the login or, later, of the last refresh.
    Column("address", String(45), nullable=False, server_default=text("''")),
    Column("user_agent", String(256), nullable=False, server_default=text("''")),
    CheckConstraint("generation >= 1", name="generation_counts_from_one"),
)

# Where a user has logged in from lately: there, the limit on attempts at their account is not met.
known_networks: Final = Table(
    "known_networks",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("network", String(64), primary_key=True),
    Column("logged_in_at_ms", BigInteger, nullable=False, index=True),
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
    # Of a token of somebody else; empty for Edge's own.
    Column("issuer", String(255), nullable=False, server_default=text("''")),
    # A session's id, a token's subject or `jti`, or the `kid` of a signing key that changed.
    Column("subject", String(255), nullable=False),
    # Of a user or service account: tokens with a lower epoch are dead.
    Column("epoch", Integer),
    Column("recorded_at_ms", BigInteger, nullable=False, index=True),
    Column("expires_at_ms", BigInteger, nullable=False, index=True),
    CheckConstraint("kind IN ('session', 'user', 'token', 'key')", name="kind_is_known"),
    CheckConstraint("(kind = 'user') = (epoch IS NOT NULL)", name="users_have_an_epoch"),
)

# What state a key is in follows from the two times and the database's clock, so that every replica
# sees it change at the same moment (`edge.tokens.signing_key`).
signing_keys: Final = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("algorithm", String(8), nullable=False),
    Column("sealed_key", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("activates_at_ms", BigInteger, nullable=False),
    Column("retires_at_ms", BigInteger),
)

clients: Final = Table(
    "clients",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    # SHA-256 of a secret of 256 random bits; none for a public client.
    Column("secret_hash", LargeBinary(32)),
    Column("grants", JSON, nullable=False),
    Column("scopes", JSON, nullable=False),
    # Of the service account that the client is under `client_credentials`.
    Column("roles", JSON, nullable=False),
    Column("may_introspect", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
)
