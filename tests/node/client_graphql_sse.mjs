// Everything as server-sent events, by graphql-sse: one connection an operation.
import { createClient } from "graphql-sse";

import { run } from "./scenario.mjs";

const [address] = process.argv.slice(2);
const client = createClient({ url: `http://${address}/graphql`, singleConnection: false, retryAttempts: 0 });

async function request(query, variables) {
  for await (const result of client.iterate({ query, variables })) return result;
  throw new Error("complete without an answer");
}

await run({ request, subscribe: (query, variables) => client.iterate({ query, variables }) });
client.dispose();
