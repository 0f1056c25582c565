"""An assistant as plain code of other libraries."""
