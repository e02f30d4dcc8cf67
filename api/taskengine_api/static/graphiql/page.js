// Starts GraphiQL on the address that this page came from: HTTP for queries and mutations,
// a WebSocket on the same address for subscriptions.
(() => {
  const here = new URL(window.location.href);
  here.search = "";
  here.hash = "";
  const socket = new URL(here);
  socket.protocol = here.protocol === "https:" ? "wss:" : "ws:";

  const fetcher = GraphiQL.createFetcher({ url: here.href, subscriptionUrl: socket.href });

  // ?query=…&variables=… opens a link that someone shared.
  const shared = new URLSearchParams(window.location.search);

  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(GraphiQL, {
      fetcher,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
      defaultTabs: window.TASKENGINE_EXAMPLES,
      query: shared.get("q") ?? undefined,
      variables: shared.get("variables") ?? undefined,
      defaultEditorToolsVisibility: "variables",
      inputValueDeprecation: true,
      shouldPersistHeaders: false,
      title: "TaskEngine",
    }),
  );
})();
