"""Where documents are added, on the page Knowledge."""

from __future__ import annotations

import json

import streamlit as st

from tailor.documents.document import LARGEST
from tailor.documents.readers import FORMATS
from tailor.scoring import format
from tailor.ui import address, upload
from tailor.ui.language import Language, literal
from tailor.workspace import Workspace

KINDS = ("files", "folder")
# Files that are named one by one; Streamlit would show a bare string here.
NAMED = 10


def uploader(workspace: Workspace, say: Language) -> None:
    """Where files or a folder are dropped; each file is copied into the workspace at once."""
    # Another key makes an empty uploader, for what it holds is lost with the page anyway.
    key = f"upload {st.session_state.get('uploads', 0)}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{say('upload.label')}**", width="content")
        kind = address.segments(
            "add", say("upload.kind"), KINDS, "files", lambda name: say(f"upload.{name}")
        )
    # Streamlit has these two in English alone.
    own = {
        "button": say(f"upload.button_{kind}"),
        "limit": say("upload.limit", size=LARGEST >> 20),
    }
    rules = "".join(f"--upload-{k}: {json.dumps(v, ensure_ascii=False)};" for k, v in own.items())
    st.html(f"<style>:root {{ {rules} }}</style>")
    given = st.file_uploader(
        say("upload.label"),
        accept_multiple_files="directory" if kind == "folder" else True,
        max_upload_size=LARGEST >> 20,
        key=f"{key} {kind}",
        label_visibility="collapsed",
    )
    st.caption(literal(say("upload.help", formats=" ".join(sorted(s[1:] for s in FORMATS)))))
    if given:
        saved = [
            upload.save(workspace.knowledge, one.name, one.getvalue(), kind == "folder")
            for one in given
        ]
        st.session_state["saved"] = saved
        st.session_state["uploads"] = st.session_state.get("uploads", 0) + 1
        st.rerun()
    arrived(say)


def arrived(say: Language) -> None:
    """What became of the files that were dropped last."""
    saved = st.session_state.get("saved", ())
    kept = [one for one in saved if one.outcome in upload.KEPT]
    if kept:
        lines = [say(f"upload.{one.outcome}", name=one.name) for one in kept[:NAMED]]
        if len(kept) > NAMED:
            lines.append(say("upload.more", count=format.count(len(kept) - NAMED, say.code)))
        st.success(literal("\n".join(lines)).replace("\n", "  \n"))
    for one in saved:
        if one not in kept:
            st.error(literal(say(f"upload.{one.outcome}", name=one.name, detail=one.detail)))
