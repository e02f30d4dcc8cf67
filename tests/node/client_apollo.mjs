// Apollo Client: HTTP for queries and mutations, graphql-ws for subscriptions, its cache in between.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode, parse } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { iterate, run } from "./scenario.mjs";

const [address] = process.argv.slice(2);
const socket = createClient({ url: `ws://${address}/graphql`, webSocketImpl: WebSocket });
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: `http://${address}/graphql` }),
  ),
  defaultOptions: { query: { errorPolicy: "all" }, mutate: { errorPolicy: "all" } },
});

async function request(text, variables) {
  const document = parse(text);
  const { data, error } = /^\s*mutation/.test(text)
    ? await client.mutate({ mutation: document, variables })
    : await client.query({ query: document, variables });
  if (error && !CombinedGraphQLErrors.is(error)) throw error;
  return { data, errors: error?.errors };
}

await run({
  request,
  subscribe: (text, variables) =>
    iterate((sink) => client.subscribe({ query: parse(text), variables }).subscribe(sink)),
  close: async () => {
    client.stop();
    await socket.dispose();
  },
});
