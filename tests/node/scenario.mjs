// What each client does with the API, and the report of it that a test compares.
//
// A client is {request(document, variables) -> {data, errors}, subscribe(document, variables) -> async iterable}.

const COUNTS = `query Counts { counts { queued running } }`;
const ENQUEUE = `
  mutation Enqueue($input: EnqueueUniversalInput!) {
    enqueueUniversal(input: $input) { job { id } errors { code message path } }
  }
`;
const FOLLOW = `
  subscription Follow($id: ID!, $after: String) {
    jobUpdated(id: $id, after: $after) {
      __typename
      cursor
      ... on JobStateChanged { from to }
      ... on JobProgressed { progress { current total message } }
    }
  }
`;
const RESULT = `query Result($id: ID!) { job(id: $id) { state result } }`;

export async function report(client) {
  const counts = await client.request(COUNTS, {});
  const refused = await client.request(ENQUEUE, { input: { args: { times: 1 }, options: { priority: 99 } } });
  const enqueued = await client.request(ENQUEUE, { input: { args: { to: ["a@example.org"], times: 2 } } });
  const { id } = enqueued.data.enqueueUniversal.job;

  // From the very start: what has happened is told again, then what happens, and then it is complete.
  const events = [];
  for await (const { data } of client.subscribe(FOLLOW, { id, after: "0-0" })) events.push(data.jobUpdated);
  // As after a lost connection: from the cursor of the second event on.
  const rest = [];
  for await (const { data } of client.subscribe(FOLLOW, { id, after: events[1].cursor })) rest.push(data.jobUpdated);

  return {
    counts: plain(counts.data.counts),
    refused: refused.data.enqueueUniversal.errors.map(({ code, path }) => ({ code, path })),
    enqueued: enqueued.data.enqueueUniversal.errors,
    events: events.map(told),
    resumed: rest.map(told),
    job: plain((await client.request(RESULT, { id })).data.job),
    wrongField: codes(await client.request("query Wrong { nothing }", {})),
    wrongVariable: codes(await client.request(RESULT, { id: { not: "an id" } })),
    wrongArgument: codes(await client.request("query Page { jobs(first: 0) { totalCount } }", {})),
  };
}

const told = (event) => event.to ?? event.progress.message;

// Apollo and urql ask for the type of everything, for their caches.
const plain = ({ __typename, ...rest }) => rest;

const codes = ({ errors }) => errors.map(({ extensions }) => extensions.code);

// A subscription of the kind {next, error, complete} as an async iterable.
export function iterate(start) {
  const waiting = [];
  let wake = () => {};
  const put = (item) => {
    waiting.push(item);
    wake();
  };
  start({
    next: (value) => put({ value }),
    error: (error) => put({ error }),
    complete: () => put({ done: true }),
  });
  return (async function* () {
    for (;;) {
      while (!waiting.length) await new Promise((resolve) => (wake = resolve));
      const { value, error, done } = waiting.shift();
      if (error) throw error;
      if (done) return;
      yield value;
    }
  })();
}

export async function run(client) {
  console.log(JSON.stringify(await report(client)));
  await client.close?.();
}
