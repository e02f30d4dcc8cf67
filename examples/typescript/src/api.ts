/** Asks the API: one request over HTTP, or live events over a WebSocket. What comes back has the document's type. */
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import type { TypedDocumentString } from "./generated/graphql.js";

const URL_OF_API = process.env["TASKENGINE_URL"] ?? "http://127.0.0.1:8000/graphql";
const KEY = process.env["TASKENGINE_KEY"];
const AUTHORIZATION: Record<string, string> = KEY ? { Authorization: `Bearer ${KEY}` } : {};

interface Answer<Data> {
  data?: Data | null | undefined;
  errors?: readonly { message: string }[] | undefined;
}

const socket = createClient({
  url: URL_OF_API.replace(/^http/, "ws"),
  webSocketImpl: WebSocket,
  connectionParams: AUTHORIZATION,
});

export async function ask<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch(URL_OF_API, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json",
      ...AUTHORIZATION,
    },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  return dataOf((await response.json()) as Answer<Data>);
}

/** Yields each event until the subscription is complete. A connection that breaks is made again by graphql-ws. */
export async function* follow<Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): AsyncGenerator<Data> {
  for await (const result of socket.iterate<Data>({ query: document.toString(), variables })) yield dataOf(result);
}

export async function close(): Promise<void> {
  await socket.dispose();
}

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  if (errors?.length) throw new Error(errors.map(({ message }) => message).join("; "));
  if (data == null) throw new Error("an answer without data");
  return data;
}
