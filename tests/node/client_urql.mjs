// urql: its fetch exchange, which lists the event stream beside JSON, and graphql-ws for subscriptions.
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { iterate, run } from "./scenario.mjs";

const [address] = process.argv.slice(2);
const socket = createClient({ url: `ws://${address}/graphql`, webSocketImpl: WebSocket });
const client = new Client({
  url: `http://${address}/graphql`,
  preferGetMethod: false,
  exchanges: [
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (operation) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...operation, query: operation.query ?? "" }, sink) }),
      }),
    }),
  ],
});

async function request(text, variables) {
  const { data, error } = /^\s*mutation/.test(text)
    ? await client.mutation(text, variables)
    : await client.query(text, variables);
  if (error?.networkError) throw error;
  return { data, errors: error?.graphQLErrors };
}

// urql tells of the end with the last result: it is live no more.
function subscribe(text, variables) {
  return iterate((sink) => {
    client.subscription(text, variables).subscribe((result) => {
      if (result.error) sink.error(result.error);
      else if (result.data && result.hasNext) sink.next(result);
      if (!result.hasNext) sink.complete();
    });
  });
}

await run({ request, subscribe, close: () => socket.dispose() });
