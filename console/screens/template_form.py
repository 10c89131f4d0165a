"""A new version of a template: prompt and typed variables as a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
from sqlite_utils import Database

from console import data
from console.actions import act
from console.shell import Desk
from engine.service import change
from engine.service.users import Operator

COLUMNS = ("name", "type", "unit", "required", "low", "high", "choices", "example")


def show(desk: Desk, view: "View") -> None:
    template_form.show(desk, view.versions[0])
