"""How a model is asked: wording, reasoning, structured replies, tools, and prompts compared."""
