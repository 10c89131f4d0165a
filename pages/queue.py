"""Queue: approve, edit, write again, reject or hold what waits."""

import streamlit as st

from console import shell, state
from console.screens import held, queue, queue_detail

with shell.open_page("Queue") as desk:
    view = queue.read(desk)
    queue.watch(view)
    queue.lately(desk, view)
    held.show(desk)
    if view.detail is None:
        queue.nothing_waits(view)
    else:
        left, right = st.columns([1, 2.6])
        with left:
            queue.rows(desk, view)
        with right:
            if state.mode("queue") == "bulk" and view.green:
                queue.bulk(view)
            else:
                queue_detail.show(desk, view.detail)
