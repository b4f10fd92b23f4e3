"""The protections of a call centre's mapping: signatures, strict JSON, ids, and what a file may say."""

from __future__ import annotations

from tests.prove.protection import Protection

SIGNING, PAYLOADS = "tests/unit/test_hotline_signing.py::test_", "tests/unit/test_hotline_mapping_payloads.py::test_"
TRANSLATE, READING = "tests/unit/test_hotline_mapping_translate.py::test_", "tests/unit/test_hotline_mapping_reading.py::test_"
SILENCE = "tests/unit/test_hotline_mapping_silence.py::test_"
SIGNING_FILE, TRANSLATE_FILE = "shared/hotline/signing.py", "shared/hotline/translate.py"
FILLING_FILE, PAYLOAD_FILE = "shared/hotline/filling.py", "shared/hotline/payload.py"
AUTHENTICATION_FILE, CONVERSION_FILE = "shared/hotline/authentication.py", "shared/hotline/conversion.py"

MAPPINGS = (
    Protection(
        "mapping: a signature is compared",
        SIGNING_FILE,
        "found |= hmac.compare_digest(candidate, other)",
        "found |= len(candidate) == len(other)",
        (f"{SIGNING}one_changed_byte_of_a_body_is_noticed",),
    ),
    Protection(
        "mapping: every secret is tried",
        SIGNING_FILE,
        "expected = [_standard(secret, message_id, at, body) for secret in secrets]",
        "expected = [_standard(secret, message_id, at, body) for secret in secrets[:1]]",
        (f"{SIGNING}either_of_two_live_secrets_proves_and_a_third_does_not",),
    ),
    Protection(
        "mapping: an old call is a replay",
        SIGNING_FILE,
        "if age > tolerance:",
        "if age > 10 * tolerance:",
        (f"{SIGNING}the_window_of_a_replay_is_five_minutes_to_both_sides",),
    ),
    Protection(
        "mapping: a call from the future is none",
        SIGNING_FILE,
        "if age < -tolerance:",
        "if age < -10 * tolerance:",
        (f"{SIGNING}the_window_of_a_replay_is_five_minutes_to_both_sides",),
    ),
    Protection(
        "mapping: the message's id is signed",
        SIGNING_FILE,
        'content = b".".join((message_id.encode(), at.encode(), body))',
        'content = b".".join((at.encode(), body))',
        (f"{SIGNING}one_changed_letter_of_a_header_is_noticed",),
    ),
    Protection(
        "mapping: digits of a time-stamp are ASCII",
        SIGNING_FILE,
        '_DIGITS: Final = re.compile(r"[0-9]{1,15}")',
        r'_DIGITS: Final = re.compile(r"\d{1,15}")',
        (f"{SIGNING}a_timestamp_that_is_no_number_of_seconds_is_malformed",),
    ),
    Protection(
        "mapping: signatures are counted",
        SIGNING_FILE,
        "signatures[:MOST_SIGNATURES]",
        "signatures",
        (f"{SIGNING}a_signature_beyond_the_sixteenth_is_not_looked_at",),
    ),
    Protection(
        "mapping: a half surrogate is no signature",
        SIGNING_FILE,
        'candidate = text.encode("utf-8", "surrogatepass")',
        "candidate = text.encode()",
        (f"{SIGNING}other_credentials_are_wrong_whatever_they_hold",),
    ),
    Protection(
        "mapping: a short secret is refused",
        SIGNING_FILE,
        "if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:",
        "if not len(key) <= LONGEST_KEY:",
        (f"{SIGNING}a_secret_that_cannot_be_used_is_refused_without_being_told",),
    ),
    Protection(
        "mapping: what is signed holds the body",
        AUTHENTICATION_FILE,
        'if not places & {"body", "body_sha256"}:',
        "if not places:",
        (f"{SIGNING}an_hmac_that_would_prove_too_little_is_no_configuration",),
    ),
    Protection(
        "mapping: a time-stamp must be signed",
        AUTHENTICATION_FILE,
        "if (header is not None) != (place in places):",
        "if (header is None) and (place in places):",
        (f"{SIGNING}an_hmac_that_would_prove_too_little_is_no_configuration",),
    ),
    Protection(
        "mapping: a body has a size",
        PAYLOAD_FILE,
        "    if len(payload) > LARGEST_PAYLOAD:\n        raise UnfitError(Rule.TOO_LARGE)\n",
        "",
        (f"{PAYLOADS}a_body_that_is_not_plainly_json_is_refused_whole",),
    ),
    Protection(
        "mapping: a name is given once",
        PAYLOAD_FILE,
        "if len(values) != len(pairs):",
        "if len(values) > len(pairs):",
        (f"{PAYLOADS}a_body_that_is_not_plainly_json_is_refused_whole",),
    ),
    Protection(
        "mapping: a number is finite",
        PAYLOAD_FILE,
        "if not math.isfinite(number):",
        "if math.isnan(number):",
        (f"{PAYLOADS}a_body_that_is_not_plainly_json_is_refused_whole",),
    ),
    Protection(
        "mapping: a body has a depth",
        PAYLOAD_FILE,
        "and _depth(value) > DEEPEST:",
        "and _depth(value) > 2 * DEEPEST:",
        (f"{PAYLOADS}a_body_that_is_not_plainly_json_is_refused_whole",),
    ),
    Protection(
        "mapping: a payload holds so many events",
        TRANSLATE_FILE,
        "    if len(items) > room:\n        raise UnfitError(Rule.TOO_MANY_EVENTS)\n",
        "",
        (f"{PAYLOADS}no_more_events_are_looked_at_than_a_payload_may_hold",),
    ),
    Protection(
        "mapping: a bad event harms no other",
        TRANSLATE_FILE,
        "return [_understand(mapping, item, parcel) for item in items]",
        "return [_understand(mapping, item, parcel) for item in items if isinstance(item, dict)]",
        (f"{PAYLOADS}a_list_gives_its_events_in_order_and_a_bad_one_harms_no_other",),
    ),
    Protection(
        "mapping: parts of an id are told apart",
        CONVERSION_FILE,
        'return quote(word(raw), safe=":.-_~@+")',
        'return quote(word(raw), safe="/:.-_~@+")',
        (f"{PAYLOADS}an_id_made_of_parts_is_the_same_again_and_never_that_of_other_parts",),
    ),
    Protection(
        "mapping: an expression that fails refuses",
        "shared/hotline/expressions.py",
        "except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError, AttributeError):",
        "except (TypeError, LookupError, RecursionError, AttributeError):",
        (f"{PAYLOADS}an_expression_that_cannot_be_applied_is_a_fault_of_that_field",),
    ),
    Protection(
        "mapping: a word that is not in the table",
        FILLING_FILE,
        "    if found is None:\n        raise UnfitError(Rule.UNKNOWN_WORD)\n",
        "",
        (f"{TRANSLATE}what_is_wrong_is_told_once_by_field_rule_and_line",),
    ),
    Protection(
        "mapping: another agency's word goes nowhere",
        FILLING_FILE,
        "if named is not None and named not in agency.table:",
        "if named is None and named not in agency.table:",
        (f"{TRANSLATE}what_is_wrong_is_told_once_by_field_rule_and_line",),
    ),
    Protection(
        "mapping: only what may be is left out",
        FILLING_FILE,
        'if not isinstance(value, Value) or value.if_wrong == "refuse":',
        "if not isinstance(value, Value):",
        (f"{TRANSLATE}what_is_wrong_is_told_once_by_field_rule_and_line",),
    ),
    Protection(
        "mapping: half a surrogate pair is no text",
        CONVERSION_FILE,
        'if "\\x00" in raw or not _is_unicode(raw):',
        'if "\\x00" in raw:',
        (f"{PAYLOADS}an_id_made_of_parts_is_the_same_again_and_never_that_of_other_parts",),
    ),
    Protection(
        "mapping: a time is of this century",
        CONVERSION_FILE,
        "if _EARLIEST <= at < _LATEST else",
        "if at < _LATEST else",
        (f"{TRANSLATE}what_is_wrong_is_told_once_by_field_rule_and_line",),
    ),
    Protection(
        "mapping: a made-up field is not shown",
        "shared/hotline/cloudevents.py",
        'name if _NAME.fullmatch(name) else "?" for name in names',
        "name for name in names",
        (f"{PAYLOADS}a_fault_of_a_normalised_body_names_the_field",),
    ),
    Protection(
        "mapping: our words are looked at when it is read",
        "shared/hotline/reading.py",
        "    faults += _of_constants(mapping, document)\n",
        "",
        (f"{READING}a_fault_is_told_with_its_line_and_rule",),
    ),
    Protection(
        "mapping: an unfinished draft is refused",
        "shared/hotline/reading.py",
        "faults = list(_todos(text, name))",
        "faults: list[Fault] = []",
        (f"{READING}a_fault_is_told_with_its_line_and_rule",),
    ),
    Protection(
        "mapping: a function that is not there",
        "shared/hotline/expressions.py",
        '        raise ValueError(f"there is no function {unknown[0]}()")\n',
        "        return expression\n",
        (f"{READING}a_fault_is_told_with_its_line_and_rule",),
    ),
    Protection(
        "mapping: a kind without its fields",
        "shared/hotline/mapping.py",
        "        self._check_blocks(self.kind.kinds - {EventKind.NOTHING})\n",
        "",
        (f"{READING}parts_that_do_not_belong_together_are_a_fault",),
    ),
    Protection(
        "mapping: no false alarm at opening time",
        "shared/hotline/silence.py",
        "        minutes = max(minutes, _minutes(silence, earlier))\n",
        "        pass\n",
        (f"{SILENCE}a_stricter_hour_holds_once_its_own_limit_has_passed_in_it",),
    ),
)
