/** Enqueues a report, shows how far it is, and then what was found. */
import { ask, close, follow } from "./api.js";
import { graphql } from "./generated/index.js";

const BUILD = graphql(`
  mutation Build($folder: String!, $top: Int!) {
    enqueueReportBuild(input: { args: { folder: $folder, top: $top }, options: { priority: 8 } }) {
      job {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

const FOLLOW = graphql(`
  subscription Follow($id: ID!) {
    jobUpdated(id: $id, after: "0-0") {
      __typename
      ... on JobStateChanged {
        to
        message
      }
      ... on JobProgressed {
        progress {
          current
          total
          message
        }
      }
    }
  }
`);

const RESULT = graphql(`
  query Result($id: ID!) {
    job(id: $id) {
      state
      result
      error {
        message
      }
    }
  }
`);

const { job, errors } = (await ask(BUILD, { folder: "stdlib/json", top: 3 })).enqueueReportBuild;
if (!job) throw new Error(errors.map(({ path, message }) => `${path?.join(".")}: ${message}`).join("; "));

for await (const { jobUpdated: event } of follow(FOLLOW, { id: job.id })) {
  switch (event.__typename) {
    case "JobStateChanged":
      console.log(event.to, event.message ?? "");
      break;
    case "JobProgressed":
      console.log(`${event.progress.current} of ${event.progress.total ?? "?"}`, event.progress.message ?? "");
      break;
  }
}

const done = (await ask(RESULT, { id: job.id })).job;
if (done?.state !== "COMPLETED") throw new Error(done?.error?.message ?? `it is ${done?.state}`);
console.log(JSON.stringify(done.result));
await close();
