"""The dashboard: the table of its pages. Start it with `make app`."""

import streamlit as st

from legocryst.ui.shell import shell

st.set_page_config(page_title="LEGO-Cryst", layout="wide", initial_sidebar_state=220)
shell.route()
