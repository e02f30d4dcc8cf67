"""The application: routes, and what lives as long as it does."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from taskengine.client import Client
from taskengine.embedded import find_redis_url
from taskengine.settings import Settings
from taskengine_api import graphiql
from taskengine_api.access import Door
from taskengine_api.budgets import Budgets
from taskengine_api.catalogue import Catalogue
from taskengine_api.context import Context
from taskengine_api.health import Health
from taskengine_api.log_lines import LogLines
from taskengine_api.pulse import Pulse
from taskengine_api.rest import Rest
from taskengine_api.router import GraphQLEndpoint
from taskengine_api.schema.build import Schema
from taskengine_api.session import Session
from taskengine_api.settings import ApiSettings


def create_app(
    settings: Settings,
    client: Client | None = None,
    *,
    api: ApiSettings | None = None,
    settled: Callable[[], None] | None = None,
) -> FastAPI:
    """Make the application. A ``client`` that is given stays the caller's to close.

    ``settled`` is called whenever a schema is in place, which is there to stay.
    """
    api = api or ApiSettings()
    ours = client or Client(find_redis_url(settings), namespace=settings.namespace, settings=settings)
    base = Schema(introspection=api.introspection)
    budgets = Budgets(ours, per_minute=api.points_per_minute)
    context = Context(client=ours, settings=settings, pulse=Pulse(ours), lines=LogLines(ours), budgets=budgets)
    door = Door(ours, api)
    endpoint = GraphQLEndpoint(base.with_tasks([]), context, door, api)
    health = Health(ours, context.meters)

    def use(schema: Schema) -> None:
        endpoint.use(schema)
        if settled is not None:
            settled()

    catalogue = Catalogue(ours, base, use, every_seconds=api.catalogue_seconds)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        await door.look()
        await catalogue.refresh()
        following = asyncio.create_task(catalogue.follow(), name="taskengine-catalogue")
        watching = asyncio.create_task(door.watch(), name="taskengine-door")
        try:
            yield
        finally:
            catalogue.stop()
            watching.cancel()
            await asyncio.gather(following, watching, return_exceptions=True)
            await health.close()
            if client is None:
                await ours.close()

    # The pages that FastAPI would make of this load their scripts from elsewhere.
    app = FastAPI(title="TaskEngine", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes += [Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)]
    app.router.routes += [
        Route("/api/session", Session(door, api).answer, methods=["GET", "POST", "DELETE"]),
        *Rest(endpoint, api).routes(),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", door.guarding(health.metrics)),
    ]
    if api.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=api.origins, allow_methods=["GET", "POST", "DELETE"], allow_headers=["*"]
        )
    if api.graphiql:
        app.mount(graphiql.MOUNTED_AT, StaticFiles(directory=graphiql.FILES))
    return app
