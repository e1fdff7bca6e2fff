"""Jobs: all that was started in this workspace, how it stands, and what can be done with it."""

import streamlit as st

from legocryst.jobs import jobs
from legocryst.ui import shell
from legocryst.ui.live import buttons, live

shell.begin("jobs")
found = jobs(shell.workspace())
if not found:
    st.info("Nothing was started yet: run the demonstration on the Home page.")
for k, job in enumerate(found):
    with st.expander(shell.name_of(job), expanded=k == 0):
        if k == 0:
            live(job)
        else:
            if job.reason:
                st.write(job.reason)
            buttons(job, where="list")
        st.text_area("Log, last lines", job.log_tail(20), key=f"log.{job.id}", disabled=True)
        if job.state != "running" and st.button("Delete", key=f"delete.{job.id}", help="Its files and its crystals."):
            job.delete()
            st.rerun()
