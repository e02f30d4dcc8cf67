// Everything over one WebSocket, by graphql-ws.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { run } from "./scenario.mjs";

const [address] = process.argv.slice(2);
const client = createClient({ url: `ws://${address}/graphql`, webSocketImpl: WebSocket, keepAlive: 50, lazy: false });

// An operation that is refused as a whole ends in an exception with the list of its errors.
async function request(query, variables) {
  try {
    for await (const result of client.iterate({ query, variables })) return result;
  } catch (errors) {
    if (!Array.isArray(errors)) throw errors;
    return { errors };
  }
  throw new Error("complete without an answer");
}

await run({
  request,
  subscribe: (query, variables) => client.iterate({ query, variables }),
  close: () => client.dispose(),
});
