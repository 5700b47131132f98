"""What routes are about: the headings of the API description, in its order."""

from typing import Final

SIGNING_IN: Final = "Signing in"
ACCOUNT: Final = "Your account"
ADMINISTRATION: Final = "Administration"
OAUTH: Final = "OAuth 2.0"
EXAMPLES: Final = "Examples"
OPERATION: Final = "Operation"

DESCRIPTIONS: Final = {
    SIGNING_IN: "Tokens for a username and a password, in JSON, for apps of your own.",
    ACCOUNT: "Users about themselves: their profile, their password, their sessions.",
    EXAMPLES: "One route for each way of letting in or keeping out.",
    OAUTH: "The same by the book, for clients of any make.",
    ADMINISTRATION: "Administrators about all accounts.",
    OPERATION: "For load balancers, supervisors and whoever looks after this Edge.",
}
