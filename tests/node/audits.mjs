// The GraphQL-over-HTTP audits of npm's graphql-http, against a running server: node audits.mjs URL
// Prints one JSON list of {id, name, status, reason}.
import { serverAudits } from "graphql-http";

const [url] = process.argv.slice(2);
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const { status, reason } = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status, reason });
}
console.log(JSON.stringify(results));
