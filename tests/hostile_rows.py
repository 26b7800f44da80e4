"""Which tests hold which row of the table of bad inputs: what a stranger sends, and what the service must do then.

Rows 1 to 46 are TCP, TLS and HTTP, 47 to 75 frames, 76 to 109 messages, identity and the rest. Codes and names are
those of docs/wire. `test_hostile_rows.py` sees to it that each test named here is there.
"""

from __future__ import annotations

_DOORS = "e2e/test_doors.py::"
_SLOW, _REQUESTS = _DOORS + "test_slow_beginners", _DOORS + "test_requests"
_ROWS = "wire/test_wire_rows.py::"
_HEADS, _FRAMES = _ROWS + "test_heads", _ROWS + "test_frames"
_STRICT = "e2e/test_rfc6455.py::test_rfc6455"
_END = "e2e/test_endings.py::test_an_end_has_an_end"
_FLOODS = _ROWS + "test_control_floods"
_WORDS = "e2e/test_bad_words.py::"
_NO_COMMAND, _CLEAN = _WORDS + "test_what_is_no_command", _WORDS + "test_what_is_said_is_clean"
_LOOKS = "unit/test_lookalikes.py::"

ROWS: dict[int, tuple[str, ...]] = {
    # --- TCP, TLS, HTTP ---
    1: (_SLOW, "wire/test_frontdoor.py::test_the_silent"),
    2: (_SLOW,),
    3: (_SLOW,),
    4: (_SLOW,),
    5: (_DOORS + "test_plain_http_to_tls", "e2e/test_tls.py::test_plain_http_on_the_tls_port_harms_nobody"),
    6: (_DOORS + "test_old_tls", "e2e/test_tls.py::test_only_tls_1_2_and_newer"),
    7: (_DOORS + "test_renegotiation",),
    8: (_SLOW, "wire/test_frontdoor.py::test_a_slow_drip", "wire/test_readers.py::test_a_body_that_drips"),
    9: (_REQUESTS, "wire/test_frontdoor.py::test_an_endless_head"),
    10: (_REQUESTS, "wire/test_frontdoor.py::test_the_longest_head"),
    11: (_REQUESTS,),
    12: (_HEADS,),
    13: (_HEADS,),
    14: (_HEADS, _REQUESTS),
    15: (_HEADS, "e2e/test_bad_input.py::test_a_plain_get_of_a_websocket_address_is_426"),
    16: (_HEADS,),
    17: (_HEADS, "wire/test_handshakes.py::test_the_version_we_speak_is_named"),
    18: (_HEADS,),
    19: (_HEADS, "e2e/test_bad_input.py::test_a_foreign_origin_is_403"),
    20: (_HEADS, "e2e/test_bad_input.py::test_an_origin_of_this_computer_is_welcome"),
    21: (_HEADS, "unit/test_origins.py::test_origins"),
    22: (_HEADS, "socketio/test_polling.py::test_two_origins"),
    23: (_HEADS, "wire/test_tokens.py::test_a_cookie_that_does_not_count"),
    24: (_HEADS, "wire/test_frontdoor.py::test_forged_headers"),
    25: (_HEADS,),
    26: (_HEADS,),
    27: (_ROWS + "test_row_27_and_28_what_follows_the_handshake",),
    28: (
        _ROWS + "test_row_27_and_28_what_follows_the_handshake",
        "wire/test_handshakes.py::test_speaking_before_the_answer_is_read",
    ),
    29: (
        _ROWS + "test_row_29_who_leaves_during_the_handshake",
        _ROWS + "test_rows_29_and_30_gone_while_a_password_is_looked_at",
        "unit/test_v1_hello.py::test_a_connection_that_is_lost_in_the_middle_of_hello",
    ),
    30: (_ROWS + "test_rows_29_and_30_gone_while_a_password_is_looked_at",),
    31: (_ROWS + "test_row_31_a_fault_of_ours",),
    32: (_HEADS, "e2e/test_bad_input.py::test_an_unknown_subprotocol_is_400"),
    33: (_ROWS + "test_offers", "e2e/test_rfc7692.py::test_every_offer"),
    34: (_ROWS + "test_offers", "e2e/test_rfc7692.py::test_every_offer"),
    35: (_HEADS, "wire/test_page_files.py::test_a_redirect_is_never_given"),
    36: (_DOORS + "test_one_address_has_so_many", "wire/test_gate.py::test_a_stranger_brings_nobody"),
    37: (_DOORS + "test_one_address_has_so_many", "unit/test_admission.py::test_the_64_bits_of_a_customer"),
    38: (_DOORS + "test_no_room_at_all", "unit/test_admission.py::test_come_back_at_different_times"),
    39: (_DOORS + "test_no_room_at_all", "e2e/test_exhausted.py::test_no_descriptor_is_left"),
    40: (_REQUESTS, "wire/test_page_files.py::test_an_endless_body", "wire/test_sockets.py::test_a_long_post"),
    41: (_REQUESTS, "e2e/test_bad_input.py::test_a_get_of_an_unknown_path_is_404"),
    42: (_DOORS + "test_a_link_out_of_the_kept_files",),
    43: (_REQUESTS,),
    44: (_REQUESTS,),
    45: (_DOORS + "test_fifty_ranges", "wire/test_page_files.py::test_an_unknown_range_is_no_trouble"),
    46: (_REQUESTS, "wire/test_page_files.py::test_other_methods"),
    # --- frames ---
    47: (_FRAMES, _STRICT),
    48: (_FRAMES, _STRICT),
    49: (_FRAMES, _STRICT),
    50: (_FRAMES, _STRICT),
    51: (_FRAMES, _STRICT),
    52: (_FRAMES, _STRICT),
    53: (_FRAMES, "e2e/test_rfc6455.py::test_what_is_too_long_is_refused_at_its_head"),
    54: (_ROWS + "test_too_long",),
    55: (_ROWS + "test_row_55_fragments", "wire/test_compression.py::test_a_message_that_never_ends"),
    56: ("wire/test_echoing.py::test_a_message_that_does_not_end",),
    57: (_FRAMES, _STRICT, "e2e/test_rfc6455.py::test_it_fails_fast"),
    58: (_FRAMES, _STRICT),
    59: (_FRAMES, _STRICT),
    60: (_FRAMES, _STRICT),
    61: (
        _ROWS + "test_row_61_after_the_close",
        "e2e/test_endings.py::test_what_comes_after_the_end_costs_nothing",
    ),
    62: (_END, _ROWS + "test_rows_62_to_64_an_end_that_is_not_answered"),
    63: (_END, "wire/test_lines.py::test_a_peer_that_never_lets_go"),
    64: (_END,),
    65: (_FLOODS,),
    66: (_END, _ROWS + "test_row_66_pings_of_one_who_does_not_read"),
    67: (_FLOODS,),
    68: (_ROWS + "test_too_long", "e2e/test_compression.py::test_bombs_do_not_move_the_memory"),
    69: (_ROWS + "test_row_69_and_70_streams",),
    70: (_ROWS + "test_row_69_and_70_streams", "wire/test_compression.py::test_a_stream_with_an_end"),
    71: (_ROWS + "test_row_71_binary", "e2e/test_bad_input.py::test_binary_on_text_dialects_closes_1003"),
    72: (
        "wire/test_silence.py::test_a_silent_websocket",
        "wire/test_silence.py::test_the_others_learn_of_the_dead",
    ),
    73: (
        "wire/test_breaking_frames.py::test_a_slow_reader",
        "unit/test_v1_lag.py::test_no_progress_for_thirty_seconds",
        "e2e/test_slow_readers.py::test_memory_stays_flat",
    ),
    74: (
        _END,
        "wire/test_lines.py::test_a_slow_reader_that_sends",
        "unit/test_v1_lag.py::test_answers_are_never_left_out",
    ),
    75: (_ROWS + "test_row_75_a_thousand_errors", _ROWS + "test_row_75_refused_at_accept"),
    # --- messages and identity ---
    76: (_NO_COMMAND, "unit/test_v1_hello.py::test_what_is_no_command"),
    77: (_NO_COMMAND,),
    78: (_NO_COMMAND,),
    79: (_CLEAN,),
    80: (_NO_COMMAND,),
    81: (_CLEAN, "unit/test_names.py::test_texts"),
    82: (_WORDS + "test_a_message_again",),
    83: (_NO_COMMAND,),
    84: (_NO_COMMAND, "wire/test_conversations.py::test_too_long_a_text"),
    85: ("unit/test_v1_talking.py::test_a_flood_of_messages", "wire/test_conversations.py::test_too_fast"),
    86: ("unit/test_v1_hello.py::test_as_many_rooms_as_the_limit_says",),
    87: (_NO_COMMAND, "unit/test_v1_dms.py::test_a_third_person", "unit/test_permissions.py::test_a_private_room"),
    88: (
        _WORDS + "test_a_message_again",
        "unit/test_v1_talking.py::test_a_repeat",
        "contract/test_engine_cids.py::test_a_repeated_cid_is_one_message",
        "property/test_cids.py::test_stored_once",
    ),
    89: (_WORDS + "test_a_message_again", "contract/test_engine_cids.py::test_a_cid_that_said_something_else"),
    90: (_NO_COMMAND, "unit/test_v1_reading.py::test_history", "unit/test_v1_bulk.py::test_pages_of_history"),
    91: (
        "unit/test_site_tokens.py::test_confusions",
        "unit/test_site_tokens.py::test_claims_that_prove_nothing",
        "wire/test_tokens.py::test_a_token_that_proves_nothing",
    ),
    92: ("unit/test_v1_identity.py::test_a_token_ends_while_connected",),
    93: (
        "unit/test_v1_identity.py::test_all_sessions_end",
        "wire/test_keeping_order.py::test_the_ways_in",
        "wire/test_readers.py::test_who_is_thrown_out_reads_no_more",
    ),
    94: (
        _WORDS + "test_what_a_request_says_is_in_no_log",
        "wire/test_tokens.py::test_http_takes_no_token_from_an_address",
    ),
    95: (_NO_COMMAND, "unit/test_names.py::test_bad_nicks", "e2e/test_bad_input.py::test_bad_nicks_are_refused"),
    96: (_NO_COMMAND, _LOOKS + "test_nobody_is_imitated"),
    97: (_NO_COMMAND, "unit/test_names.py::test_same_key"),
    98: (_NO_COMMAND, _LOOKS + "test_heaps_of_marks"),
    99: (_NO_COMMAND, _LOOKS + "test_scripts_that_do_not"),
    100: (
        _CLEAN,
        "wire/test_handshakes.py::test_escaping",
        "e2e/test_page_input.py::test_markup_is_shown_as_text",
    ),
    101: (_NO_COMMAND, _WORDS + "test_what_a_request_says_is_in_no_log"),
    102: (_WORDS + "test_lines", _WORDS + "test_lines_that_go_on", "wire/test_lines.py::test_control_characters"),
    103: (_WORDS + "test_lines", "e2e/test_bad_input.py::test_http_on_the_tcp_line_port_ends_at_once"),
    104: ("wire/test_silence.py::test_a_silent_line",),
    105: (
        _WORDS + "test_packets",
        _WORDS + "test_names_of_prototypes",
        "socketio/test_packet.py::test_bad_packets",
        "socketio/test_packet.py::test_attachments_out_of_place",
    ),
    106: (
        _WORDS + "test_sessions_that_are_none",
        "socketio/test_engine_wire.py::test_unknown_sid",
        "socketio/test_engine_wire.py::test_two_polls_at_once",
        "socketio/test_engine_wire.py::test_second_websocket_of_a_session",
    ),
    108: ("e2e/test_exhausted.py::test_a_full_disk", "unit/test_writer.py::test_trouble_with_the_disk_may_pass"),
    109: ("e2e/test_start.py::test_an_orderly_stop_tells_everybody",),
}
"""By number; the paths are those below tests/. 107 is about Redis, which is not among the stores."""

BESIDE: dict[str, tuple[str, ...]] = {
    "a damaged or locked database": (
        "e2e/test_exhausted.py::test_a_damaged_database_is_one_line",
        "e2e/test_exhausted.py::test_a_locked_database_is_one_line",
        "e2e/test_start.py::test_a_broken_database_is_one_line",
    ),
    "a clock that is set": ("e2e/test_clock.py::test_a_day_forward_and_two_back",),
}
"""What is asked for elsewhere than in the table."""
