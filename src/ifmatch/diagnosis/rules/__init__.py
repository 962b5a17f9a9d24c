"""The rules: one module a cause, detection only.

A rule is a function from `Facts` to evidence; prose, sources and fixes are in the catalogue.
Order here is the order of roots: an earlier cause may explain a later one away, never the reverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ifmatch.diagnosis.rules import (
    bad_date,
    blind_refresh,
    cache_misevaluates,
    check_then_write_race,
    clock_skew,
    coarse_token_scope,
    cors_hidden_etag,
    create_guard_on_update,
    date_precision,
    etag_source_mismatch,
    etag_suffix_rewrite,
    etag_weakened,
    exists_already,
    expected_control_flow,
    implicit_precondition,
    inconsistent_backends,
    intermediary_replay,
    lease_or_lock,
    lost_response_replay,
    malformed_validator,
    multi_match,
    nonprecondition_412,
    null_token,
    other_writer,
    payload_precondition_mismatch,
    post_commit_412,
    precondition_ignored,
    precondition_stripped,
    read_changed_mid_transfer,
    redirect_rewrites_request,
    replica_lag,
    representation_mismatch,
    retry_reuses_failed_token,
    self_race,
    server_precondition_bug,
    server_side_mutation,
    stale_cache_read,
    stale_stored_token,
    status_dialect_mismatch,
    target_missing,
    timezone_error,
    token_expired,
    token_missing,
    unconditional_write,
    unstable_etag,
    unsupported_precondition,
    validator_stripped,
    weak_only_origin,
    weak_until_settled,
    wrong_token_source,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.model.finding import Evidence


class Rule(NamedTuple):
    """A cause id and the function that looks for it."""

    cause: str
    detect: Callable[[Facts], Iterator[Evidence]]


_MODULES = (
    precondition_stripped,
    validator_stripped,
    redirect_rewrites_request,
    cors_hidden_etag,
    intermediary_replay,
    lease_or_lock,
    token_expired,
    multi_match,
    payload_precondition_mismatch,
    cache_misevaluates,
    inconsistent_backends,
    unstable_etag,
    etag_source_mismatch,
    weak_until_settled,
    etag_weakened,
    weak_only_origin,
    etag_suffix_rewrite,
    null_token,
    malformed_validator,
    bad_date,
    clock_skew,
    timezone_error,
    date_precision,
    representation_mismatch,
    wrong_token_source,
    coarse_token_scope,
    implicit_precondition,
    create_guard_on_update,
    stale_cache_read,
    replica_lag,
    self_race,
    lost_response_replay,
    post_commit_412,
    stale_stored_token,
    retry_reuses_failed_token,
    blind_refresh,
    check_then_write_race,
    precondition_ignored,
    read_changed_mid_transfer,
    target_missing,
    exists_already,
    server_side_mutation,
    unsupported_precondition,
    server_precondition_bug,
    token_missing,
    nonprecondition_412,
    expected_control_flow,
    other_writer,
    unconditional_write,
    status_dialect_mismatch,
)

ALL_RULES: tuple[Rule, ...] = tuple(Rule(module.CAUSE, module.detect) for module in _MODULES)
