"""Enqueues a report, shows how far it is, and then what was found. Needs ``gql[httpx,websockets]``."""

import asyncio
import json
import os
from typing import Any

from gql import Client, gql
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

URL = os.environ.get("TASKENGINE_URL", "http://127.0.0.1:8000/graphql")
KEY = os.environ.get("TASKENGINE_KEY")
AUTHORIZATION = {"Authorization": f"Bearer {KEY}"} if KEY else {}

BUILD = gql("""
  mutation Build($folder: String!, $top: Int!) {
    enqueueReportBuild(input: { args: { folder: $folder, top: $top }, options: { priority: 8 } }) {
      job { id }
      errors { code message path }
    }
  }
""")

FOLLOW = gql("""
  subscription Follow($id: ID!) {
    jobUpdated(id: $id, after: "0-0") {
      __typename
      ... on JobStateChanged { to message }
      ... on JobProgressed { progress { current total message } }
    }
  }
""")

RESULT = gql("query Result($id: ID!) { job(id: $id) { state result error { message } } }")


async def main() -> None:
    """Do it."""
    over_http = Client(transport=HTTPXAsyncTransport(url=URL, headers=AUTHORIZATION))
    socket = WebsocketsTransport(url=URL.replace("http", "ws", 1), init_payload=AUTHORIZATION)
    async with over_http as api, Client(transport=socket) as live:

        async def ask(document: Any, **variables: Any) -> dict[str, Any]:
            document.variable_values = variables
            return await api.execute(document)

        answer = (await ask(BUILD, folder="stdlib/json", top=3))["enqueueReportBuild"]
        if answer["job"] is None:
            raise SystemExit("; ".join(f"{error['path']}: {error['message']}" for error in answer["errors"]))
        job_id = answer["job"]["id"]

        FOLLOW.variable_values = {"id": job_id}
        async for event in live.subscribe(FOLLOW):
            show(event["jobUpdated"])

        job = (await ask(RESULT, id=job_id))["job"]
        if job["state"] != "COMPLETED":
            raise SystemExit(job["error"]["message"] if job["error"] else f"it is {job['state']}")
        print(json.dumps(job["result"]))


def show(event: dict[str, Any]) -> None:
    """Print one event."""
    match event:
        case {"__typename": "JobStateChanged", "to": state, "message": message}:
            print(state, message or "")
        case {"__typename": "JobProgressed", "progress": progress}:
            print(f"{progress['current']:g} of {progress['total'] or 0:g}", progress["message"] or "")


if __name__ == "__main__":
    asyncio.run(main())
