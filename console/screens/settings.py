"""Settings & health: is every part well, what may be changed, who did what, what is kept."""

from __future__ import annotations

import streamlit as st
from sqlite_utils import Database

from console import data, fields, models, parts, state, words
from console.actions import act
from console.screens import acknowledge
from console.shell import Desk
from engine.config import X_KEYS
from engine.errors import StoreError
from engine.posting import spend
from engine.resources import streamlit_config
from engine.service import backup, doctor, notify
from engine.service.doctor import Check, Patient
from engine.service.users import Operator
from engine.settings import SETTINGS
from engine.store import alerts, audit, console_reads
from engine.store import settings as store_settings

GROUPS = {
    "posting": "Posting", "content": "Writing", "model": "Model", "breaker": "Circuit breaker",
    "market": "Market", "trend": "Trend words", "learning": "Learning", "alerts": "Alerts",
    "service": "Service", "backup": "Backups",
}  # fmt: skip
ELSEWHERE = ("content.mix",)  # edited in Calendar, with what they depend on
LOG_LINES = 200


def health(desk: Desk) -> None:
    """The doctor on request, keys present, the last runs of each job, alerts."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            parts.main_action("Examine everything"), key="doctor.run", icon=":material/stethoscope:",
            on_click=_examine,
        )  # fmt: skip
        st.button(
            "Send a test alert", key="alerts.test", icon=":material/notifications:",
            on_click=_test_alert, disabled=not desk.may("admin"),
        )  # fmt: skip
    for check in state.examined():
        _check(check)
    left, right = st.columns(2)
    with left:
        _keys()
        _spend(desk)
    with right:
        _jobs(desk)
        _alerts(desk)


def _check(check: Check) -> None:
    color, icon = {
        "ok": ("green", ":material/check_circle:"), "warn": ("yellow", ":material/warning:"),
    }.get(check.state, ("red", ":material/error:"))  # fmt: skip
    st.markdown(
        f":{color}[{icon} {check.state}] **{words.plain(check.name)}** {words.plain(check.message)}"
    )


def _examine() -> None:
    settings = data.config()
    with st.spinner("The doctor looks at every part"):
        patient = Patient(settings, data.clock, models.in_force(), streamlit_config())
        state.set_examined(doctor.diagnose(patient))


def _keys() -> None:
    st.markdown("**Keys**")
    held = data.config().x_keys
    for key in X_KEYS:
        st.markdown(
            f":green[:material/check_circle: present] {words.plain(key)}"
            if key in held
            else f":gray[:material/remove_circle: not set] {words.plain(key)}"
        )
    st.caption("Keys come from the environment; they are never stored and never shown.")


def _spend(desk: Desk) -> None:
    st.markdown("**Spend, this calendar month (UTC)**")
    with data.reading() as db:
        rows = [
            {**row, "publisher": row["publisher"].replace("_", " ")}
            for row in console_reads.spend_by_kind(db, *spend.month_of(desk.now))
        ]
        budget = float(store_settings.get(db, "posting.monthly_budget_usd"))
    total = sum(row["USD"] for row in rows)
    st.progress(
        min(1.0, total / budget if budget else 0.0),
        f"{words.plain(words.usd(total))} of {words.plain(words.usd(budget))}",
    )
    if rows:
        st.dataframe(rows, hide_index=True, alt=f"{words.usd(total)} spent this month, by kind.")
    else:
        st.caption("Nothing was spent.")


def _jobs(desk: Desk) -> None:
    st.markdown("**Jobs of the runner**")
    with data.reading() as db:
        runs = console_reads.last_jobs(db)
    if not runs:
        st.caption("None has run yet. Start the runner: python runner.py run")
        return
    st.dataframe(
        [
            {"job": job, "last": words.ago(at, desk.now), "took": words.span(seconds), "ended": outcome, "error": error or "–"}
            for job, at, seconds, outcome, error in runs
        ],
        hide_index=True, alt=f"Last run of {len(runs)} jobs.",
    )  # fmt: skip


def _alerts(desk: Desk) -> None:
    st.markdown("**Alerts**")
    with data.reading() as db:
        told = alerts.history(db, limit=20)
    if not told:
        st.caption("None so far.")
        return
    st.dataframe(
        [
            {
                "since": words.local(alert.opened_at, desk.zone), "alert": alert.kind.replace("_", " "),
                "state": "over" if alert.resolved_at else "open", "message": alert.message,
            }
            for alert in told
        ],
        hide_index=True, alt=f"The last {len(told)} alerts.",
    )  # fmt: skip
    for alert in told:
        if acknowledge.is_asked(alert):
            st.markdown(words.plain(alert.message))
            acknowledge.button(desk, alert, "settings")


def _test_alert() -> None:
    def work(db: Database, operator: Operator) -> str:
        answers = notify.send_test(data.config().db, data.config(), data.clock)
        return " · ".join(f"{name}: {failure or 'went out'}" for name, failure in answers.items())

    act("admin", work)


def rules(desk: Desk) -> None:
    """Every setting, by group, with its range checked by the engine."""
    with data.reading() as db:
        values = store_settings.get_all(db)
    if not desk.may("admin"):
        st.info("Settings are changed by an admin.", icon=":material/lock:")
    for group, title in GROUPS.items():
        keys = [key for key in SETTINGS if key.startswith(f"{group}.") and key not in ELSEWHERE]
        box = st.expander(title, key=f"settings.{group}", on_change="rerun")
        if box.open:
            with box:
                fields.form(f"settings.form.{group}", keys, values, editable=desk.may("admin"))
    st.caption("Content mix, autonomy and model parameters of each kind of post are in Calendar.")


def trail(desk: Desk) -> None:
    """The audit: append-only, chained by hashes, checked on request."""
    before = state.cursor("audit")
    with data.showing() as db:
        found = audit.entries(db, before_id=before, limit=50)
    if not found:
        parts.empty(
            "Nothing yet",
            "Every decision and change is written here for ever.",
            ":material/receipt_long:",
        )
        return
    st.dataframe(
        [
            {
                "time": words.local(entry.at, desk.zone), "who": entry.actor, "what": entry.what,
                "to": entry.subject, "UTC": words.utc(entry.at), "hash": entry.hash[:12],
            }
            for entry in found
        ],
        hide_index=True, alt=f"{len(found)} audit entries, newest first.",
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Newest",
            key="audit.first",
            on_click=state.set_cursor,
            args=("audit", None),
            disabled=before is None,
        )
        st.button(
            "Older",
            key="audit.older",
            on_click=state.set_cursor,
            args=("audit", found[-1].id),
            disabled=len(found) < 50,
        )
        st.button("Check the chain", key="audit.verify", icon=":material/link:", on_click=_verify)


def _verify() -> None:
    def work(db: Database, operator: Operator) -> str:
        if broken := audit.verify_chain(db):
            raise StoreError(f"The audit was tampered with: {broken}. Compare it with a backup.")
        return "Every audit entry is as it was written."

    act("viewer", work, shown=True)


def backups(desk: Desk) -> None:
    """Checked copies; a new one on request. Restoring is done at the terminal, with posting off."""
    st.button(
        "Back up now",
        key="backup.now",
        icon=":material/save:",
        on_click=_back_up,
        disabled=not desk.may("admin"),
    )
    files = backup.listing(data.config().db)
    if not files:
        parts.empty(
            "No backup yet", "The runner makes one a day; or make one now.", ":material/save:"
        )
        return
    st.dataframe(
        [
            {
                "made": words.local(backup.created_at(file), desk.zone), "file": file.name,
                "size, MB": round(file.stat().st_size / 1e6, 1),
            }
            for file in files
        ],
        hide_index=True, alt=f"{len(files)} backups, newest first.",
    )  # fmt: skip
    st.caption("To restore one: python runner.py restore FILE")


def _back_up() -> None:
    def work(db: Database, operator: Operator) -> str:
        made = backup.backup(data.config().db, now=data.now())
        return f"{made.path.name} is written and checked ({made.bytes / 1e6:.1f} MB)."

    act("admin", work)


def logs() -> None:
    """The end of the log file, secrets masked by whoever wrote it."""
    file = data.config().log_file
    if file is None or not file.exists():
        parts.empty(
            "No log file", "Logs go to the terminal. Set BTCBUZZ_LOG_FILE to read them here too.",
            ":material/subject:",
        )  # fmt: skip
        return
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 100_000))
        lines = stream.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:]
    level = st.segmented_control(
        "Show", ["everything", "warnings and errors"], default="everything", key="logs.level"
    )
    if level != "everything":
        lines = [
            line for line in lines if '"level": "warning"' in line or '"level": "error"' in line
        ]
    st.code("\n".join(reversed(lines)) or "(nothing)", language=None, height=480)
