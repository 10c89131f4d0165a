"""Does each guard's test notice when the guard is gone? ``python -m tests.guards [WORD]``.

Copies the tree, takes one guard away at a time, runs the test that docs/security.md names for it,
and puts the guard back. A test that still passes guards nothing: exit 1.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
API, DOOR, WIRE = (
    "engine/service/api/",
    "tests/service/api/test_door.py",
    "tests/service/api/test_wire.py",
)
SECURITY = "tests/test_security.py"


@dataclass(frozen=True)
class Guard:
    """``text`` of ``file`` is what guards; with ``gone`` in its place ``test`` must fail."""

    file: str
    text: str
    gone: str
    test: str


GUARDS = (
    Guard("engine/config.py", '__str__ = __repr__', '__str__ = reveal', f"{SECURITY}::test_a_secret_does_not_show_itself"),
    Guard("engine/log.py", 'text = text.replace(secret, MASK)', 'pass', f"{SECURITY}::test_logs_mask_secrets_in_messages_fields_and_traces"),
    Guard("engine/log.py", 'repr(secret)[1:-1], json.dumps(repr(secret)[1:-1], ensure_ascii=False)[1:-1],', '', f"{SECURITY}::test_logs_mask_secrets_in_messages_fields_and_traces"),
    Guard("engine/log.py", 'logging.getLogger(name).setLevel(logging.WARNING)', 'pass', f"{SECURITY}::test_libraries_that_print_headers_are_kept_quiet"),
    Guard("engine/config.py", 'return re.sub(r"[^/@]*@", f"{MASK}@", re.split(r"[?#]", address)[0])', 'return address', f"{SECURITY}::test_canaries_stay_in_the_environment"),
    Guard("engine/settings.py", 'if _SECRET_LIKE.search(key):', 'if False:', f"{SECURITY}::test_the_settings_table_refuses_secrets"),
    Guard("engine/service/cli.py", 'os.umask(0o077)', 'os.umask(0o022)', f"{SECURITY}::test_files_are_for_their_owner_alone"),
    Guard("console/shell.py", 'os.umask(0o077)', 'os.umask(0o022)', f"{SECURITY}::test_the_console_leaves_nothing_that_others_may_read"),
    Guard("engine/config.py", '(parts.hostname in hosts and parts.scheme == "https")', 'parts.hostname', f"{SECURITY}::test_addresses_lead_nowhere_else"),
    Guard("engine/config.py", 'if _is_link_local(parts.hostname):', 'if False:', f"{SECURITY}::test_no_address_leads_to_a_clouds_keys"),
    Guard("engine/posting/x_client.py", 'if not own and not is_loopback(parts.hostname):', 'if False:', "tests/posting/test_x_client.py::test_no_other_host_gets_the_keys"),
    Guard("engine/posting/x_session.py", 'kwargs.update(timeout=self._timeout, allow_redirects=False)', 'kwargs.update(timeout=self._timeout)', "tests/posting/test_x_client.py::test_a_redirect_is_not_followed"),
    Guard("engine/posting/x_session.py", 'self.trust_env = False', 'self.trust_env = True', "tests/posting/test_x_client.py::test_proxies_of_the_environment_are_not_used"),
    Guard("engine/market/http.py", 'is_loopback(host.strip("[]")) else peer.is_global:', 'is_loopback(host.strip("[]")) else True:', "tests/market/test_http.py::test_a_public_name_that_leads_to_a_private_address_gets_no_request"),
    Guard("engine/market/http.py", 'if kind not in accept:', 'if False:', "tests/market/test_http.py::test_anything_else_is_a_source_error_with_its_reason"),
    Guard("engine/market/news.py", 'from defusedxml.ElementTree import ParseError, fromstring, tostring', 'from xml.etree.ElementTree import ParseError, fromstring, tostring', "tests/market/test_news.py::test_what_is_no_honest_feed_is_refused"),
    Guard("engine/llm/wire.py", 'if response.status != 200:', 'if response.status >= 400:', "tests/llm/test_wire.py::test_a_redirect_is_not_followed"),
    Guard("engine/llm/wire.py", 'if total > MAX_BODY_BYTES:', 'if False:', "tests/llm/test_wire.py::test_an_endless_body_is_cut_at_the_cap"),
    Guard("engine/service/tokens.py", 'if token is None or not same or not token.is_live(now):', 'if token is None or not token.is_live(now):', f"{DOOR}::test_every_route_wants_a_live_token_and_its_own_scope"),
    Guard("engine/service/tokens.py", 'if token is None or not same or not token.is_live(now):', 'if token is None or not same:', f"{DOOR}::test_a_token_ends_with_its_revocation_at_the_next_request"),
    Guard(f"{API}auth.py", 'if self.scope not in caller.scopes:', 'if False:', f"{DOOR}::test_every_route_wants_a_live_token_and_its_own_scope"),
    Guard(f"{API}routes/generations.py", 'Security(Needs("read"))', 'Security(Needs("metrics"))', f"{DOOR}::test_the_page_names_each_route_with_its_scope"),
    Guard("engine/service/tokens.py", 'token_id, name.strip(), _hash(secret)', 'token_id, name.strip() + secret, _hash(secret)', "tests/service/test_tokens.py::test_the_database_holds_nothing_that_opens_the_door"),
    Guard(f"{API}guard.py", 'if host not in self._api.hosts and host not in self._allowed():', 'if False:', f"{DOOR}::test_another_host_name_is_refused"),
    Guard(f"{API}guard.py", 'if len(body) > BODY_CAP:', 'if False:', f"{DOOR}::test_a_body_has_64_kb_and_no_more"),
    Guard(f"{API}guard.py", 'int(length[:12]) > BODY_CAP', 'False', f"{WIRE}::test_who_goes_on_sending_after_the_answer_is_cut_off"),
    Guard(f"{API}auth.py", 'and not _is_json(request)', 'and False', f"{WIRE}::test_a_body_of_another_kind_is_named"),
    Guard(f"{API}guard.py", 'async with asyncio.timeout(BODY_WITHIN_S):', 'async with asyncio.timeout(None):', f"{WIRE}::test_a_body_that_does_not_come_is_told_so"),
    Guard(f"{API}wire.py", 'self._deadline = self.loop.call_later(WITHIN_S, self.transport.close)', 'pass', f"{WIRE}::test_a_head_that_does_not_come_ends_the_connection"),
    Guard(f"{API}wire.py", 'if len(self.connections) > MOST_CONNECTIONS:', 'if False:', f"{WIRE}::test_one_connection_too_many_is_told_so"),
    Guard(f"{API}server.py", 'if hasattr(socket, "TCP_USER_TIMEOUT"):', 'if False:', f"{WIRE}::test_who_takes_nothing_of_the_answers_is_cut_off"),
    Guard(f"{API}server.py", '_refuse_public(host, config, clock)\n        self', 'self', f"{DOOR}::test_a_public_address_needs_the_setting_and_a_token"),
    Guard(f"{API}limits.py", 'return buckets.draw(db, name, capacity=per_minute, want=want, now=self._clock.now())', 'return want, 0.0', f"{DOOR}::test_a_token_over_its_rate_waits_and_others_do_not"),
    Guard(f"{API}problems.py", 'detail = "Something went wrong here; the log has it under this request id."', 'detail = str(error)', f"{DOOR}::test_an_error_of_ours_has_no_trace_and_is_found_by_its_id"),
    Guard(f"{API}shapes.py", 'model_config = ConfigDict(extra="forbid")', 'model_config = ConfigDict()', "tests/service/api/test_routes.py::test_no_request_can_ask_to_pass_by_the_queue"),
    Guard(f"{API}routes/templates.py", 'check_template(wish.system, wish.body, tuple(Variable.from_dict(row) for row in variables))', 'pass', "tests/service/api/test_routes.py::test_a_template_that_cannot_be_rendered_is_not_saved"),
    Guard("console/exports.py", 'return f"\'{value}" if risky else value', 'return value', "tests/console/test_exports.py::test_what_a_spreadsheet_would_run_is_led_by_an_apostrophe"),
    Guard("engine/service/users.py", 'if not current.may(needed):', 'if False:', "tests/service/test_users.py::test_only_an_admin_makes_accounts"),
    Guard("engine/service/users.py", 'if user is None or user.disabled_at or user.updated_at != operator.stamp:', 'if user is None:', "tests/service/test_users.py::test_a_role_that_was_taken_away_is_gone_at_the_next_write"),
    Guard("engine/service/users.py", 'users.by_identity(db, issuer, email) if verified else None', 'users.by_identity(db, issuer, email)', "tests/service/test_users.py::test_an_identity_enters_only_if_verified_and_listed"),
    Guard("engine/service/users.py", 'if not attempt:', 'if False:', "tests/console/test_gate.py::test_five_wrong_passwords_close_the_door_for_a_quarter_of_an_hour_in_every_tab"),
    Guard("console/auth.py", 'if _public() and not st.get_option("server.allowedHosts"):', 'if False:', "tests/console/test_gate.py::test_a_public_address_that_answers_to_any_name_is_closed"),
    Guard("console/shell.py", 'if operator is None:\n        auth.sign_in_screen()\n        st.stop()', 'if operator is None:\n        auth.sign_in_screen()', "tests/console/test_gate.py::test_signed_out_shows_only_the_sign_in"),
    Guard("engine/service/notify.py", 'redact = Redactor(config.secrets())', 'redact = Redactor()', "tests/service/test_notify.py::test_no_secret_is_in_a_notice_or_in_the_log"),
)  # fmt: skip


def notices(guard: Guard, tree: Path) -> bool:
    """Whether the test fails in ``tree`` while the guard is gone."""
    file = tree / guard.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(guard.text, guard.gone, 1), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", guard.test], cwd=tree, capture_output=True,
            check=False,
        )  # fmt: skip
    finally:
        file.write_text(whole, encoding="utf-8")
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{guard.test} did not run: {done.stdout.decode()[-2_000:]}")
    return done.returncode == 1


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    blind = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(
            ROOT, tree, ignore=shutil.ignore_patterns(".*env*", ".git", "*.db*", "__pycache__")
        )
        for guard in GUARDS:
            if word not in f"{guard.file} {guard.test}":
                continue
            noticed = notices(guard, tree)
            blind += not noticed
            print("noticed" if noticed else "BLIND  ", guard.file, guard.text[:60], flush=True)
    return 1 if blind else 0


if __name__ == "__main__":
    sys.exit(main())
