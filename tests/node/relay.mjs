// Compiles relay/ against a schema, and loads a list page by page: node relay.mjs URL SCHEMA EMPTY-DIRECTORY
// Prints one JSON object: the ids of each page, those in the store after each, and the row that a refetch by id finds.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import relay from "relay-runtime";

const { createOperationDescriptor, Environment, fetchQuery, getSelector, Network, RecordSource, Store } = relay;
const [url, schema, directory] = process.argv.slice(2);
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);

cpSync(path.join(here, "relay"), path.join(directory, "src"), { recursive: true });
cpSync(schema, path.join(directory, "schema.graphql"));
mkdirSync(path.join(directory, "compiled"));
const config = {
  src: "./src",
  schema: "./schema.graphql",
  artifactDirectory: "./compiled",
  language: "javascript",
  eagerEsModules: false,
};
writeFileSync(path.join(directory, "relay.config.json"), JSON.stringify(config));
const compiler = path.join(here, "node_modules", "relay-compiler", "cli.js");
execFileSync(process.execPath, [compiler], { cwd: directory, stdio: ["ignore", "ignore", "inherit"] });

const require = createRequire(path.join(directory, "compiled") + path.sep);
const compiled = (name) => require(`./${name}.graphql.js`);

const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(async ({ text }, variables) => {
    const body = JSON.stringify({ query: text, variables });
    const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    return response.json();
  }),
});

const pageQuery = compiled("jobsPageQuery");
const first = createOperationDescriptor(pageQuery, { count: 2 });
environment.retain(first);

// The list as a component would get it, with all pages that have come so far.
function listed() {
  const { data } = environment.lookup(first.fragment);
  return environment.lookup(getSelector(compiled("jobsList"), data)).data.jobs;
}

await fetchQuery(environment, pageQuery, { count: 2 }).toPromise();
const one = listed();
const next = { count: 2, cursor: one.pageInfo.endCursor };
await fetchQuery(environment, compiled("jobsListPaginationQuery"), next).toPromise();
const both = listed();
const id = both.edges[0].node.id;
const row = await fetchQuery(environment, compiled("jobsRowRefetchQuery"), { id }).toPromise();
const state = environment.lookup(getSelector(compiled("jobsRow"), row.node)).data.state;

const ids = ({ edges }) => edges.map(({ node }) => node.id);
const more = both.pageInfo.hasNextPage;
console.log(JSON.stringify({ first: ids(one), both: ids(both), more: more, refetched: { id, state } }));
