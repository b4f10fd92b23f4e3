"""The protections of an integrator's commands that `make prove` switches off."""

from __future__ import annotations

from tests.prove.protection import Protection

COMMAND = "tests/unit/test_hotline_command.py::test_"
SENT = "tests/unit/test_hotline_sending.py::test_"
CLI, LOCAL, SENDING = "deploy/cli/hotline.py", "deploy/local/hotline.py", "deploy/hotline/sending.py"

PLUGGING = (
    Protection(
        "a draft takes no file's place",
        CLI,
        'out.open("x"',
        'out.open("w"',
        (f"{COMMAND}a_draft_says_what_is_to_be_decided_and_never_takes_a_files_place",),
    ),
    Protection(
        "a source is no path",
        CLI,
        "_folders().mapping_file(source) if _SOURCE.fullmatch(source) else None",
        "_folders().mapping_file(source)",
        (f"{SENT}what_cannot_be_sent_is_told_in_one_line",),
    ),
    Protection(
        "the older secret counts while a vendor changes over",
        CLI,
        "live = [new_secret(authentication), *live][:LIVE]",
        "live = [new_secret(authentication)]",
        (f"{COMMAND}secrets_are_made_once_exchanged_and_retired",),
    ),
    Protection(
        "two secrets count",
        LOCAL,
        "if line.strip()][:LIVE]",
        "if line.strip()]",
        (f"{COMMAND}secrets_are_made_once_exchanged_and_retired",),
    ),
    Protection(
        "an operator's own secrets are left alone",
        LOCAL,
        "    if folders.secrets.is_relative_to(state.path):\n",
        "    if folders.secrets:\n",
        (f"{COMMAND}services_are_given_the_folders_and_an_operators_own_are_left_alone",),
    ),
    Protection(
        "a secret that is there stays",
        LOCAL,
        "if not (folders.secrets / file.stem).is_file():",
        "if folders.secrets:",
        (f"{COMMAND}every_shipped_source_has_a_secret_that_its_scheme_can_use",),
    ),
    Protection(
        "one message has one id",
        SENDING,
        "            answer = self._post(payload, message_id)\n",
        '            answer = self._post(payload, f"msg_{uuid.uuid4().hex}")\n',
        (f"{SENT}an_intake_that_is_away_is_asked_again_with_the_same_id",),
    ),
    Protection(
        "one refused event is a refusal",
        SENDING,
        'and all(each["outcome"] != "refused" for each in answer.get("results", ()))',
        "",
        (f"{SENT}an_event_that_is_refused_beside_others_that_are_taken_is_status_1",),
    ),
)
