"""RSA moduli made by a broken generator (ROCA, CVE-2017-15361), told by their remainders.

The generator made primes of the form k * M + (65537 ** a mod M), M being the product of the first
primes. So modulo each of these, a modulus of its making is a power of 65537, which of other moduli
one in 10^8 is. (Nemec and others, "The Return of Coppersmith's Attack", 2017, section 2.2.)
"""

from typing import Final

_GENERATOR: Final = 65537
# All odd primes below 168: M of the shortest keys that were made, 512 bits and more.
_PRIMES: Final = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
)  # fmt: skip


def is_roca(modulus: int) -> bool:
    """Say whether an RSA modulus bears the fingerprint; such keys can be factored."""
    return all(modulus % prime in _powers(prime) for prime in _PRIMES)


def _powers(prime: int) -> set[int]:
    return {pow(_GENERATOR, exponent, prime) for exponent in range(prime - 1)}
