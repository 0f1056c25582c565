"""An assistant leaves Tailor as a package of plain LangChain, and answers there.

The same from the command line: ``tailor export langchain acme_assistant -w acme``.
"""

import sys
from importlib import import_module
from pathlib import Path

from tailor import Workspace
from tailor.exporting.langchain import export
from tailor.ladder import assistant_for

QUESTION = "How many days of paid leave do new employees get?"

workspace = Workspace("acme")
workspace.ingest()
# Not the winner: that may be a row without a language model, which LangChain could not ask.
exported = export(workspace, assistant_for(workspace, "retrieval"), Path("acme_assistant"))
print(f"{exported.folder} holds {exported.passages} passages and asks {exported.model}.")

# From here on nothing is Tailor's: these lines do where only the package's requirements.txt is.
sys.path.insert(0, str(exported.folder.parent))
chain = import_module(f"{exported.folder.name}.chain").build()
said = chain.invoke({"question": QUESTION})
print(said["answer"], [passage.metadata["document"] for passage in said["passages"]])
