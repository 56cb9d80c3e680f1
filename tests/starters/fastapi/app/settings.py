"""Settings from the environment."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    greeting: str = "Hello from FastAPI"
