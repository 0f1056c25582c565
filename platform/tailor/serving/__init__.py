"""An assistant behind an OpenAI-compatible API."""
