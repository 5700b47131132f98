"""Fetching key sets over HTTP."""

import asyncio
import ssl
from functools import cache
from typing import Final

import httpx

from edge.tokens.key_sets import FetchError

_TIMEOUT_S: Final = 5.0
# A set of a hundred RSA keys with certificates is about half as long.
_MOST_BYTES: Final = 256 * 1024
# Without compression, which could hide any size.
_HEADERS: Final = {
    "Accept": "application/jwk-set+json, application/json",
    "Accept-Encoding": "identity",
}


class HttpKeySet:
    """A key set behind a URL. Proxies and certificates are those of the environment."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: httpx.AsyncClient | None = None

    async def fetch(self) -> bytes:
        try:
            # Over all: httpx's own limits are between bytes, and some drip.
            async with asyncio.timeout(_TIMEOUT_S):
                return await self._read()
        except TimeoutError:
            message = f"no answer within {_TIMEOUT_S:g} s"
            raise FetchError(message) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            message = f"it cannot be reached: {type(error).__name__}"
            raise FetchError(message) from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _read(self) -> bytes:
        if self._client is None:  # made when it is needed: reading certificates takes time
            self._client = httpx.AsyncClient(headers=_HEADERS, timeout=_TIMEOUT_S, verify=_tls())
        document = bytearray()
        async with self._client.stream("GET", self._url, follow_redirects=False) as answer:
            if answer.status_code != httpx.codes.OK:
                message = f"it answers with status {answer.status_code}"
                raise FetchError(message)
            if "content-encoding" in answer.headers:
                message = "it answers compressed, which was not asked for"
                raise FetchError(message)
            async for chunk in answer.aiter_raw():
                document += chunk
                if len(document) > _MOST_BYTES:
                    message = f"it answers with more than {_MOST_BYTES} bytes"
                    raise FetchError(message)
        return bytes(document)


@cache
def _tls() -> ssl.SSLContext:
    """Read the certificates of the environment once for all providers."""
    return httpx.create_ssl_context()
