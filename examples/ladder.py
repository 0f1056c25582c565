"""The ladder in fifteen lines: which stage pays off on the documents of a workspace?"""

from tailor import Workspace, compare
from tailor.stages import Baseline, FewShot, Prompting, Retrieval

workspace = Workspace("acme")
workspace.ingest()
# Asked once and kept: run it again, with one stage more, and only that one asks the model.
runs = workspace.climb([Baseline(), Prompting(), FewShot(shots=4), Retrieval(k=4)])
comparison = compare(runs)
print(comparison.to_markdown())
print(comparison.verdict())
