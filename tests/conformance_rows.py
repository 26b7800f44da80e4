"""Which tests hold which row of the list of what an engine, and a hub on it, owe: its numbers stand in their
docstrings too where a test is about one row alone.

`test_conformance_rows.py` sees to it that each test named here is there.
"""

from __future__ import annotations

_ENGINE = "contract/test_engine.py::"
_CIDS = "contract/test_engine_cids.py::"
_FAILURES = "nodes/test_failures.py::"
_ORDER = "nodes/test_order.py::"
_MACHINE = "unit/test_room_machine.py::"
_SUBSCRIBER = "nodes/test_subscriber.py::"
_CHAOS = "nodes/test_chaos.py::"

ROWS: dict[str, tuple[str, ...]] = {
    # --- the log ---
    "C01": (_ENGINE + "test_numbers_are_gapless", _ORDER + "test_one_order_of_eight_publishers"),
    "C02": (_ENGINE + "test_reading_forward", _ENGINE + "test_an_empty_room"),
    "C03": (_ENGINE + "test_reading_backward", _ENGINE + "test_paging_back_meets_each_once"),
    "C04": (_CIDS + "test_a_repeated_cid_is_one_message", _CIDS + "test_a_cid_that_said_something_else"),
    "C05": (
        _FAILURES + "test_hung",
        _FAILURES + "test_debug_sleep",
        _FAILURES + "test_nothing_acknowledged_is_lost",
    ),
    "C06": (_CIDS + "test_a_repeated_cid_is_one_message", "property/test_cids.py::test_stored_once"),
    "C07": (_ENGINE + "test_every_text",),
    "C08": (_ENGINE + "test_rooms_are_apart",),
    "C09": (
        "contract/test_engine_messages.py::test_deleting",
        "contract/test_engine_search.py::test_a_deleted_text",
        "property/test_erasure.py::test_deleted_and_edited_words_are_nowhere",
        _MACHINE + "test_the_ring_forgets_what_is_erased",
        _FAILURES + "test_deleted_words_leave_the_file",
        "contract/test_archive.py::test_deleted_words_are_nowhere",
    ),
    "C10": (
        _MACHINE + "test_the_ring_forgets_what_has_expired",
        "property/test_erasure.py::test_expired_words",
        "contract/test_archive.py::test_nothing_is_trimmed_before_it_is_copied",
    ),
    "C11": (_ENGINE + "test_each_opening_is_an_epoch", _ENGINE + "test_sixteen_forks_are_kept"),
    "C12": (_ENGINE + "test_time_does_not_run_backwards",),
    # --- the bus ---
    "C20": (
        _SUBSCRIBER + "test_each_call_has_its_own_confirmation",
        _SUBSCRIBER + "test_many_channels_go_in_batches",
        _CHAOS + "test_reading_before_the_subscription_is_confirmed_misses",
    ),
    "C21": (_ENGINE + "test_what_is_told_is_what_is_kept", _ORDER + "test_one_order_of_eight_publishers"),
    "C22": (_ORDER + "test_one_order_of_eight_publishers",),
    "C23": (_ORDER + "test_leaving_and_joining_loses_nothing", _SUBSCRIBER + "test_off_and_on_again"),
    "C24": ("nodes/test_wire.py::test_a_lost_connection_is_made_again", _FAILURES + "test_both_nodes_go_on"),
    "C25": (
        "nodes/test_wire.py::test_a_deaf_connection_is_found_out",
        _ORDER + "test_a_room_that_was_not_told_is_found_out",
    ),
    "C26": ("unit/test_v1_presence.py::test_typing", "e2e/test_redis_workers.py::test_who_is_there"),
    # --- the hub ---
    "C30": (
        "unit/test_recovery.py::test_table",
        "unit/test_recovery.py::test_against_a_model",
        "unit/test_room.py::test_within_the_ring",
        "unit/test_room.py::test_further_back_than_the_ring",
    ),
    "C31": (
        "unit/test_joins.py::test_a_join_while_others_talk",
        "unit/test_room.py::test_join_buffer_holds_under_any_timing",
    ),
    "C32": (_MACHINE + "test_r3_a_gap_on_the_way", _MACHINE + "test_r3_reordered", _MACHINE + "test_r13_twice"),
    "C33": (_MACHINE + "test_r8_a_fork_while_a_newcomer_reads",),
    "C34": (
        "unit/test_joins.py::test_a_position_too_far_back",
        "unit/test_recovery.py::test_the_limit_is_an_argument",
    ),
    "C35": (
        "unit/test_v1_lag.py::test_complete_after_a_lag",
        "unit/test_v1_lag.py::test_no_progress_for_thirty_seconds",
    ),
    "C36": ("unit/test_v1_joins.py::test_r12_thrown_out_while_recovering",),
    # --- presence, marks, leases ---
    "C40": (_ORDER + "test_comings_and_goings_are_exact",),
    "C41": (
        _ORDER + "test_a_dead_node_is_gone_after_its_lease",
        "nodes/test_guestbook.py::test_a_dead_nodes_nicks_are_free_after_its_lease",
        "e2e/test_redis_workers.py::test_a_worker_that_dies",
    ),
    "C42": (_FAILURES + "test_everything_lost", "nodes/test_guestbook.py::test_while_redis_is_away"),
    "C43": (
        "contract/test_engine_people.py::test_marks_never_go_back",
        "contract/test_engine_people.py::test_marks_raised_at_once",
    ),
    "C44": (_ORDER + "test_a_job_is_one_workers",),
    # --- failures ---
    "C50": (_FAILURES + "test_gone_and_back", "nodes/test_status.py::test_down_and_up"),
    "C51": (_FAILURES + "test_hung", _FAILURES + "test_debug_sleep"),
    "C52": (_FAILURES + "test_nothing_acknowledged_is_lost",),
    "C53": (_FAILURES + "test_a_lost_tail_is_told", "property/test_lost_tail.py::test_whatever_is_lost"),
    "C54": ("nodes/test_failover.py::test_another_server_takes_over",),
    "C55": (
        _FAILURES + "test_full",
        _FAILURES + "test_read_only",
        _FAILURES + "test_disk_full",
        "nodes/test_status.py::test_full_memory_has_a_reason",
        "nodes/test_wire.py::test_forgotten_scripts_are_told_again",
        "nodes/test_address.py::test_what_cannot_be_used",
    ),
    "C56": ("nodes/test_safety.py::test_settings_that_lose_data", "nodes/test_safety.py::test_a_replica"),
    "C57": (
        "contract/test_archive.py::test_an_emptied_redis_goes_on",
        "contract/test_archive.py::test_no_room_begins_while_nobody_knows",
    ),
    "C58": (
        "e2e/test_crash.py::test_what_a_sender_saw_survives_kill_9",
        "property/test_lost_tail.py::test_a_power_cut",
    ),
    "C59": (
        _ENGINE + "test_a_copy_that_is_put_back",
        "unit/test_backup.py::test_a_restored_log_begins_a_new_epoch",
    ),
    "C60": (
        "e2e/test_archive_workers.py::test_from_sqlite_to_several",
        "contract/test_move.py::test_positions_stay_good",
    ),
    # --- all at once ---
    "C90": (_CHAOS + "test_chaos", _CHAOS + "test_chaos_of_many"),
    "C91": (
        _CHAOS + "test_without_the_fence_views_diverge",
        _CHAOS + "test_without_cids_a_retry_is_a_second_message",
        _CHAOS + "test_reading_before_the_subscription_is_confirmed_misses",
        "property/test_lost_tail.py::test_without_the_fence",
    ),
}
