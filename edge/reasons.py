"""Reason codes: one vocabulary for logs, metrics and the `code` of problem documents.

A code is part of the interface: it is never renamed, and its text for people lives elsewhere
(`edge.http.problems`).
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why Edge did not do what it was asked to."""

    # The request cannot be understood.
    AUTHORIZATION_MALFORMED = "authorization_malformed"
    AUTHORIZATION_REPEATED = "authorization_repeated"
    SCHEME_UNSUPPORTED = "scheme_unsupported"
    REQUEST_INVALID = "request_invalid"
    HOST_INVALID = "host_invalid"
    PATH_AMBIGUOUS = "path_ambiguous"
    FIELD_REPEATED = "field_repeated"
    TOO_MANY_FIELDS = "too_many_fields"
    URL_TOO_LONG = "url_too_long"
    BODY_MISSING = "body_missing"
    BODY_TOO_LARGE = "body_too_large"
    BODY_TIMEOUT = "body_timeout"
    BODY_INCOMPLETE = "body_incomplete"
    CONTENT_TYPE_UNSUPPORTED = "content_type_unsupported"
    CONTENT_ENCODING_UNSUPPORTED = "content_encoding_unsupported"
    JSON_INVALID = "json_invalid"
    JSON_TOO_DEEP = "json_too_deep"
    FORM_TOO_LARGE = "form_too_large"
    VALIDATION_FAILED = "validation_failed"
    MARKUP_REFUSED = "markup_refused"
    SCOPE_INVALID = "scope_invalid"
    FORWARD_INCOMPLETE = "forward_incomplete"
    IDENTITY_FIELD_SENT = "identity_field_sent"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    PRECONDITION_FAILED = "precondition_failed"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"

    # The credentials do not prove who is asking.
    CREDENTIALS_MISSING = "credentials_missing"
    CREDENTIALS_INVALID = "credentials_invalid"
    ACCOUNT_DISABLED = "account_disabled"
    TOKEN_MALFORMED = "token_malformed"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"
    TOKEN_REVOKED = "token_revoked"
    TYPE_MISMATCH = "type_mismatch"
    KEY_UNKNOWN = "key_unknown"
    ALGORITHM_MISMATCH = "algorithm_mismatch"
    SIGNATURE_INVALID = "signature_invalid"
    ISSUER_UNKNOWN = "issuer_unknown"
    AUDIENCE_MISMATCH = "audience_mismatch"
    REFRESH_TOKEN_INVALID = "refresh_token_invalid"
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    REFRESH_TOKEN_FROM_THE_FUTURE = "refresh_token_from_the_future"
    SESSION_REVOKED = "session_revoked"
    CLIENT_UNKNOWN = "client_unknown"
    CLIENT_CREDENTIALS_INVALID = "client_credentials_invalid"
    CLIENT_DISABLED = "client_disabled"
    TOKEN_OF_ANOTHER_CLIENT = "token_of_another_client"

    # The principal is known and may not.
    USER_NEEDED = "user_needed"
    PASSWORD_WRONG = "password_wrong"
    ROLE_MISSING = "role_missing"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    ORIGIN_REFUSED = "origin_refused"
    RULE_MISSING = "rule_missing"
    PEER_UNTRUSTED = "peer_untrusted"
    IDENTITY_TOO_LARGE = "identity_too_large"

    # There were too many requests.
    RATE_LIMITED = "rate_limited"

    # An account cannot be made or changed so.
    USERNAME_INVALID = "username_invalid"
    USERNAME_TAKEN = "username_taken"
    EMAIL_INVALID = "email_invalid"
    FULL_NAME_INVALID = "full_name_invalid"
    ROLE_INVALID = "role_invalid"
    PASSWORD_TOO_SHORT = "password_too_short"
    PASSWORD_TOO_LONG = "password_too_long"
    PASSWORD_COMMON = "password_common"
    PASSWORD_GUESSABLE = "password_guessable"
    PASSWORD_CONTEXTUAL = "password_contextual"
    PASSWORD_NOT_TEXT = "password_not_text"

    # An OAuth client cannot be made or changed so.
    CLIENT_ID_INVALID = "client_id_invalid"
    CLIENT_ID_TAKEN = "client_id_taken"
    CLIENT_NAME_INVALID = "client_name_invalid"
    CLIENT_IS_PUBLIC = "client_is_public"
    GRANT_INVALID = "grant_invalid"

    # A signing key cannot go.
    KEY_NEEDED = "key_needed"
    KEY_IN_USE = "key_in_use"

    # Edge cannot decide now.
    STORE_UNAVAILABLE = "store_unavailable"
    SIGNING_UNAVAILABLE = "signing_unavailable"
    REVOCATIONS_UNAVAILABLE = "revocations_unavailable"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    LIMITS_UNAVAILABLE = "limits_unavailable"
    HASHING_OVERLOADED = "hashing_overloaded"
    FILES_UNAVAILABLE = "files_unavailable"
    INTERNAL_ERROR = "internal_error"
