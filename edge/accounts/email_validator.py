"""Email addresses, checked by a library: the grammar has more corners than a regular expression."""

import email_validator


def normalise_email(text: str) -> str | None:
    """Give the address in its normal form, or None where it is not one.

    Whether the domain takes mail is not asked: an account is made without the network.
    """
    try:
        return email_validator.validate_email(text, check_deliverability=False).normalized
    except email_validator.EmailNotValidError:
        return None
