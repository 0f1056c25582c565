"""An assistant in plain LangChain: `python -m PACKAGE "a question"`, or `chain.build()`."""
