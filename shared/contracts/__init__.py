"""The contract: events, commands, envelope, topics. Pure pydantic models; the one place to read them all."""
