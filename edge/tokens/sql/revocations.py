"""The change list of revocations in SQL."""

from sqlalchemy import and_, literal, or_, select

from edge.stores.sql import Database
from edge.stores.tables import revocations
from edge.tokens.claims import VerifiedToken


class SqlRevocationList:
    """The `RevocationList` port in its first form: asks the change list about each token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_revoked(self, token: VerifiedToken) -> bool:
        kind, subject = revocations.c.kind, revocations.c.subject
        statement = (
            select(literal(1))
            .where(
                revocations.c.issuer == token.issuer,
                or_(
                    and_(kind == "session", subject == str(token.session_id)),
                    and_(kind == "token", subject == token.token_id),
                    and_(
                        kind == "user",
                        subject == token.subject,
                        revocations.c.epoch > token.epoch,
                    ),
                ),
            )
            .limit(1)
        )
        async with self._database.reading() as connection:
            return await connection.scalar(statement) is not None
