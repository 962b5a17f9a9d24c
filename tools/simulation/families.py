"""Families: which stories are told in which dialects. Their split is in families.toml."""

from __future__ import annotations

import pathlib
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from tools.simulation.dialects.documents import Cal, Card, Dav, Eve, Fhir, Kinto, SpringData, Zotero
from tools.simulation.dialects.google import Compute, IamPolicy, People
from tools.simulation.dialects.headers import Box, Calendar, CloudFront, Gocd, Lrs, Suffixed, Twilio
from tools.simulation.dialects.hosted import Confluence, Contentful, GitHubContents
from tools.simulation.dialects.keyvalues import Cart, Consul, CurrentVersion, Etcd
from tools.simulation.dialects.microsoft import Graph, Planner, Sap, SharePoint
from tools.simulation.dialects.stores import S3, AzureBlob, AzureTable, Cosmos, GoogleStorage
from tools.simulation.dialects.versioned import Elasticsearch, Kubernetes
from tools.simulation.plots import (
    caches,
    conflicts,
    conformance,
    copies,
    damaged,
    dates,
    downloads,
    encodings,
    field,
    field_servers,
    healthy,
    healthy_edges,
    healthy_more,
    late,
    locks,
    paths,
    payloads,
    platforms,
    readers,
    routines,
    second,
    servers,
    special,
    tokens,
    variants,
)
from tools.simulation.skin import Skin

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.simulation.stage import Stage, Told

Plot: TypeAlias = "Callable[[Stage], Told]"

SPLIT: Final = pathlib.Path(__file__).with_name("families.toml")


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of traffic.

    Attributes:
        name: as in families.toml.
        skins: dialects.
        plots: stories, told in turn.
        busy: amounts of background noise, chosen by chance.
    """

    name: str
    skins: tuple[type[Skin], ...]
    plots: tuple[Plot, ...]
    busy: tuple[int, ...] = (0, 0, 0, 0, 0, 0, 6)


_CONFLICTS = (conflicts.other_writer, conflicts.self_race, conflicts.server_side_mutation, conflicts.exists_already, conflicts.target_missing, tokens.stale_stored_token, tokens.retry_reuses_failed_token, conflicts.other_after_own, tokens.create_guard_on_update)  # fmt: skip
_VERSIONS = (conflicts.other_writer, tokens.stale_stored_token, conflicts.self_race, tokens.retry_reuses_failed_token, conflicts.other_after_own)  # fmt: skip

ALL: Final = {
    one.name: one
    for one in (
        Family("rest-json-writers", (Skin,), (*_CONFLICTS, tokens.token_missing, conflicts.linked_write, tokens.old_session, tokens.coarse_token_scope, damaged.wrong_token_source, conflicts.never_there)),
        Family("record-services", (Kinto, Eve, SpringData), (*_CONFLICTS, tokens.token_missing, damaged.wrong_token_source)),
        Family("calendar-and-contacts", (Cal, Card), (*_CONFLICTS, conflicts.never_there, damaged.wrong_token_source)),
        Family("webdav-files", (Dav,), (*_CONFLICTS, conflicts.never_there, servers.weak_until_settled)),
        Family("s3-objects", (S3,), (conflicts.other_writer, conflicts.exists_already, tokens.stale_stored_token, tokens.retry_reuses_failed_token, conflicts.self_race, tokens.create_guard_on_update, tokens.lost_response_replay, special.lock_poll, conflicts.other_after_silence, damaged.malformed_validator)),
        Family("blobs-tables-buckets", (AzureBlob, AzureTable, GoogleStorage, Cosmos), (conflicts.other_writer, conflicts.exists_already, tokens.stale_stored_token, tokens.retry_reuses_failed_token, conflicts.self_race, tokens.create_guard_on_update, tokens.lost_response_replay, special.lock_poll, conflicts.other_after_own)),
        Family("lost-responses", (Skin, Eve), (tokens.lost_response_replay, paths.gateway_timeout, paths.intermediary_replay, servers.post_commit, conflicts.other_after_silence)),
        Family("retries-and-replays", (Cal, Dav, Kinto, SpringData), (tokens.lost_response_replay, paths.intermediary_replay, paths.gateway_timeout, servers.post_commit, conflicts.other_after_silence)),
        Family("proxy-encodings", (Skin,), (encodings.etag_suffix_rewrite, encodings.etag_weakened, servers.weak_only_origin, encodings.validator_stripped)),
        Family("edge-transformations", (SpringData, Eve, Dav), (encodings.etag_weakened, encodings.etag_suffix_rewrite, encodings.validator_stripped, servers.weak_only_origin)),
        Family("shared-caches", (Skin,), (caches.stale_cache_read, caches.wrong_304, caches.cache_misevaluates)),
        Family("cdn-caches", (SpringData, Eve, Dav), (caches.cache_misevaluates, caches.stale_cache_read, caches.wrong_304)),
        Family("balanced-nodes", (Skin,), (paths.inconsistent_backends, paths.replica_lag, servers.unstable_etag)),
        Family("replicas-and-regions", (Eve, SpringData, Dav), (paths.replica_lag, paths.inconsistent_backends, servers.unstable_etag, paths.redirect_rewrites_request)),
        Family("tag-makers", (Skin,), (servers.etag_source_mismatch, servers.unstable_etag, variants.representation_mismatch, servers.weak_until_settled, servers.weak_only_origin)),
        Family("tag-makers-frameworks", (Eve, SpringData), (servers.etag_source_mismatch, variants.representation_mismatch, servers.unstable_etag, servers.weak_until_settled)),
        Family("evaluators", (Skin,), (servers.server_precondition_bug, servers.post_commit, servers.precondition_ignored, servers.check_then_write, special.refuses_any)),
        Family("evaluators-frameworks", (SpringData, Eve, Dav), (servers.server_precondition_bug, special.refuses_any, servers.check_then_write, servers.precondition_ignored, servers.own_stale_accepted)),
        Family("dates", (Skin,), (dates.date_other_writer, dates.date_precision_refused, dates.date_precision_lost, dates.clock_skew_client, dates.clock_skew_server, dates.bad_date_lost, dates.bad_date_refused, dates.timezone_refused, dates.timezone_lost)),
        Family("dates-of-files", (Dav, Cal, Eve), (dates.timezone_lost, dates.timezone_refused, dates.bad_date_refused, dates.bad_date_lost, dates.clock_skew_server, dates.clock_skew_client, dates.date_precision_lost, dates.date_precision_refused, dates.date_other_writer)),
        Family("damaged-tokens", (Skin,), (damaged.malformed_validator, damaged.null_token, damaged.malformed_writes, damaged.wrong_token_source)),
        Family("token-habits", (SpringData, Dav, Cal), (damaged.null_token, damaged.malformed_validator, tokens.token_expired, damaged.wrong_token_source, damaged.malformed_writes)),
        Family("pages-of-other-origins", (Skin,), (special.cors_hidden, tokens.implicit_precondition, tokens.token_expired)),
        Family("single-page-apps", (SpringData, Eve), (special.cors_hidden, tokens.implicit_precondition)),
        Family("silent-losses", (Skin,), (tokens.blind_refresh, tokens.unconditional_write, servers.precondition_ignored, paths.precondition_stripped, servers.check_then_write, servers.own_stale_accepted)),
        Family("silent-losses-elsewhere", (Dav, Cal, SpringData, Eve), (tokens.unconditional_write, tokens.blind_refresh, paths.precondition_stripped, servers.check_then_write, servers.own_stale_accepted)),
        Family("redirects-and-rules", (Skin,), (paths.redirect_rewrites_request, special.firewall, special.business_rule, special.status_misread)),
        Family("firewalls-and-rules", (Eve, SpringData), (special.firewall, special.business_rule, special.status_misread, paths.redirect_rewrites_request)),
        Family("elections", (Skin,), (special.leader_election, special.lock_poll)),
        Family("ownership-keys", (S3, AzureBlob, GoogleStorage), (special.leader_election, special.lock_poll)),
        Family("downloads", (Skin,), (downloads.read_changed, downloads.if_range_ignored)),
        Family("media-and-firmware", (Dav, S3), (downloads.read_changed, downloads.if_range_ignored)),
        Family("controllers", (Kubernetes, Contentful), (*_VERSIONS, conflicts.exists_already, conflicts.server_side_mutation)),
        Family("watches-and-positions", (Kubernetes, Etcd, Cal), (locks.watch_too_old,)),
        Family("search-and-wiki", (Elasticsearch, Confluence, GitHubContents), (*_VERSIONS, tokens.lost_response_replay, tokens.blind_refresh)),
        Family("update-scripts", (Elasticsearch,), (platforms.hidden_compare,)),
        Family("scripted-updates", (Elasticsearch,), (platforms.hidden_compare, conflicts.exists_already)),
        Family("graph-and-odata", (Graph, Planner, Sap), (*_VERSIONS, tokens.token_missing, platforms.sub_resource_token, conflicts.server_side_mutation)),
        Family("offices", (SharePoint, Box, Twilio, Lrs), (*_VERSIONS, platforms.sub_resource_token, conflicts.other_after_silence, platforms.in_progress)),
        Family("google-platform", (Compute, IamPolicy, Calendar), (*_VERSIONS, tokens.lost_response_replay, platforms.in_progress)),
        Family("cloud-consoles", (CloudFront, People), (*_VERSIONS, tokens.token_missing, tokens.blind_refresh)),
        Family("key-values", (Etcd, Consul), (*_VERSIONS, tokens.lost_response_replay, conflicts.exists_already)),
        Family("carts-and-versions", (Cart, CurrentVersion), (*_VERSIONS, tokens.lost_response_replay, conflicts.server_side_mutation)),
        Family("numbers-for-tokens", (Cart, Contentful, GoogleStorage), (damaged.null_token, tokens.stale_stored_token)),
        Family("required-tokens", (Confluence, Sap, Lrs, CloudFront, GitHubContents, Contentful), (tokens.token_missing, conflicts.other_writer)),
        Family("fhir-resources", (Fhir,), (conflicts.other_writer, payloads.multi_match, tokens.stale_stored_token, tokens.retry_reuses_failed_token)),
        Family("clinical-criteria", (Fhir,), (payloads.multi_match, tokens.token_missing, conflicts.other_after_own, conflicts.self_race)),
        Family("locks-of-files", (Dav,), (locks.webdav_lock,)),
        Family("leases-of-blobs", (AzureBlob,), (locks.blob_lease,)),
        Family("locks-elsewhere", (Cal, Card), (locks.webdav_lock, locks.watch_too_old)),
        Family("payload-conditions", (Skin,), (payloads.dns_change, payloads.json_patch_test)),
        Family("payloads-elsewhere", (Etcd, SpringData, Eve), (payloads.previous_value, payloads.json_patch_test)),
        Family("names-taken", (Skin, S3), (platforms.database_exists, conflicts.exists_already)),
        Family("names-taken-elsewhere", (Cosmos, AzureTable, Skin), (platforms.database_exists, conflicts.exists_already)),
        Family("scopes", (Zotero,), (platforms.library_version, conflicts.other_writer)),
        Family("branches", (GitHubContents,), (platforms.branch_head, conflicts.other_writer)),
        Family("look-alike-suffixes", (Suffixed,), (conflicts.other_writer, tokens.stale_stored_token, conflicts.target_missing, conflicts.other_after_own)),
        Family("look-alike-suffixes-elsewhere", (Gocd,), (conflicts.other_writer, tokens.stale_stored_token, tokens.retry_reuses_failed_token)),
        Family("parts-of-objects", (S3,), (platforms.multipart_tag, platforms.delete_marker)),
        Family("busy-pages", (Skin,), (conflicts.other_writer, encodings.etag_weakened, caches.stale_cache_read, tokens.stale_stored_token, damaged.malformed_validator, paths.inconsistent_backends, tokens.blind_refresh, servers.unstable_etag), (8, 9)),
        Family("busy-agents", (SpringData, Eve, Dav, S3), (tokens.stale_stored_token, conflicts.self_race, damaged.malformed_validator, conflicts.other_writer, tokens.lost_response_replay, tokens.retry_reuses_failed_token), (8, 9)),
        Family("field-reports", (Skin,), (field.banned, field.stored_then_5xx, field.disk_cache, field.two_tabs, field.same_change, field.blind_from_refusal, field_servers.one_path_ignores, field_servers.node_clocks, field_servers.server_says_unchanged, field_servers.star_creates, field_servers.linked_elsewhere, field.double_delete, field.own_delete, field_servers.session_refuses_its_tag, field_servers.ignored_create_guard)),
        Family("field-reports-elsewhere", (SpringData, Eve), (field.strict_cookie, field.stored_then_5xx, field.disk_cache, field.two_tabs, field.same_change, field_servers.one_path_ignores, field_servers.node_clocks, field_servers.server_says_unchanged, field_servers.linked_elsewhere, field_servers.session_refuses_its_tag)),
        Family("field-files", (Dav, Cal), (field.legacy_chunks, field.double_delete, field.own_delete, field_servers.star_creates, field.same_change, field.stored_then_5xx)),
        Family("field-stores", (S3,), (field_servers.conditional_conflict, field.stored_then_5xx, field.same_change, downloads.read_changed)),
        Family("field-blobs", (AzureBlob,), (field.stored_then_5xx, field.same_change, downloads.read_changed)),
        Family("two-incidents", (Skin,), (tokens.two_incidents, variants.representation_by_query)),
        Family("two-incidents-elsewhere", (SpringData, Dav, Eve), (tokens.two_incidents, variants.representation_by_query)),
        Family("measured-servers", (Skin, Dav), (conformance.tomcat_weak, conformance.write_path_ignores, conformance.date_ignored, conformance.two_lines, conformance.star_on_read)),
        Family("measured-servers-elsewhere", (Dav, Eve, SpringData, Cal), (conformance.star_on_read, conformance.date_ignored, conformance.tomcat_weak, conformance.write_path_ignores)),
        Family("second-looks", (Skin,), (second.never_unchanged, second.index_lag, second.read_condition_ignored, second.lost_delete, second.unchanged_for_a_write)),
        Family("second-looks-elsewhere", (SpringData, Eve, Dav), (second.unchanged_for_a_write, second.lost_delete, second.read_condition_ignored, second.index_lag, second.never_unchanged)),
        Family("late-captures", (Skin,), (late.late_other_writer, late.late_repetitions, late.late_null, late.late_weakened)),
        Family("late-captures-elsewhere", (SpringData, Eve, Dav, Kinto), (late.late_other_writer, late.late_repetitions, late.late_null)),
        Family("revalidating-readers", (Skin,), (readers.suffix_never_unchanged, readers.nodes_never_unchanged, readers.own_now_read, readers.same_second_read, readers.state_lock)),
        Family("revalidating-readers-elsewhere", (SpringData, Eve, Dav), (readers.same_second_read, readers.own_now_read, readers.nodes_never_unchanged, readers.suffix_never_unchanged)),
        Family("copies-and-batches", (S3, Kinto, Dav, Skin, Elasticsearch), (copies.copy_condition, copies.completed_name_taken, copies.refused_in_a_batch, copies.lock_lapsed, copies.token_beside)),
        Family("copies-and-batches-elsewhere", (AzureBlob, Graph, GoogleStorage, Eve), (copies.copy_condition, copies.refused_in_a_batch, copies.lock_lapsed, copies.token_beside)),
        Family("healthy-readers", (Skin, SpringData, Eve), (healthy_more.reloads, healthy_more.dated_reading, healthy_more.variants_read, healthy_more.sensor_revalidated)),
        Family("healthy-copies", (S3, AzureBlob, Kinto, Graph, Dav), (healthy_more.copied, healthy_more.batched, healthy_more.lock_kept)),
        Family("healthy-tags", (Skin, SpringData, Eve), (conformance.strong_compressed, conformance.weak_accepted)),
        Family("healthy-reading", (Skin, SpringData, Dav, Eve), (healthy.browsing, healthy.polling, healthy.sensor, healthy.head_checks, healthy_edges.encoded_reading, healthy_edges.lost_read), (0, 0, 6, 15)),
        Family("healthy-writing", (Skin, Kinto, SpringData, Cal, Fhir, Sap), (healthy.chain, healthy.alternating, healthy.disjoint, healthy.workers, healthy.uploads, healthy.corrected, healthy.challenged, healthy.busy_then_retried, healthy_edges.slow_answer), (0, 0, 12)),
        Family("healthy-stores", (S3, AzureBlob, GoogleStorage), (healthy.chain, healthy.uploads, healthy.ensure_exists, healthy.renewals, healthy.follower, healthy.disjoint, healthy.guarded_delete)),
        Family("healthy-platforms", (Kubernetes, Elasticsearch, Contentful, Confluence, GitHubContents, Etcd, Consul, Cart, Compute, People, Planner, Graph, Box, Twilio, CloudFront, Cosmos, AzureTable, Zotero, Suffixed, Gocd, SharePoint), (healthy.chain, healthy.alternating, healthy.disjoint)),
        Family("healthy-services", (Skin,), (healthy.star, healthy.sole_author, healthy.guarded_delete, healthy_edges.missing_then_made, healthy_edges.taken_names, healthy_edges.cached_reading, healthy_edges.equal_nodes, healthy_edges.moved_for_good, healthy_edges.cors_done_right, healthy_edges.dated, healthy.ensure_exists, healthy.follower), (0, 0, 0, 12)),
        Family("healthy-synchronising", (Cal, Dav, Card), (routines.dav_sync, routines.lock_and_edit, healthy_edges.missing_then_made, healthy.chain)),
        Family("healthy-routines", (Skin,), (routines.registry, downloads.restart)),
        Family("healthy-listings", (S3,), (routines.listing,)),
        Family("healthy-watching", (Kubernetes,), (routines.watch,)),
    )
}  # fmt: skip


def table() -> dict[str, dict[str, object]]:
    """Return what families.toml says of each family: split, reason, rounds."""
    families: dict[str, dict[str, object]] = tomllib.loads(SPLIT.read_text())["families"]
    return families


def splits() -> dict[str, str]:
    """Return dev or healthy for each family."""
    return {name: str(entry["split"]) for name, entry in table().items()}


def rounds(name: str) -> int:
    """Return how often each story of a family stands in the frozen corpus."""
    found = table()[name].get("rounds", 2)
    return found if isinstance(found, int) else 2
