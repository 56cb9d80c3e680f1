"""A FastAPI starter: one route under /api and a health check."""

from fastapi import FastAPI

from app.settings import Settings

settings = Settings()
app = FastAPI()


@app.get("/api/hello")
def hello():
    return {"greeting": settings.greeting}


@app.get("/healthz")
def healthz():
    return {"status": "ok"}
