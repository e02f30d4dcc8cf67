// What a page of a Relay application would hold. Only relay-compiler reads this file.
import { graphql } from "relay-runtime";

export const page = graphql`
  query jobsPageQuery($count: Int!) {
    ...jobsList @arguments(count: $count)
  }
`;

export const list = graphql`
  fragment jobsList on Query
  @refetchable(queryName: "jobsListPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" }) {
    jobs(first: $count, after: $cursor) @connection(key: "list_jobs") {
      edges {
        node {
          id
          ...jobsRow
        }
      }
    }
  }
`;

export const row = graphql`
  fragment jobsRow on Job @refetchable(queryName: "jobsRowRefetchQuery") {
    state
    task {
      name
    }
  }
`;

export const watch = graphql`
  subscription jobsWatchSubscription($id: ID!) {
    jobUpdated(id: $id) {
      cursor
      job {
        ...jobsRow
      }
    }
  }
`;

export const cancel = graphql`
  mutation jobsCancelMutation($input: CancelJobInput!) {
    cancelJob(input: $input) {
      job {
        ...jobsRow
      }
      errors {
        code
        message
      }
    }
  }
`;
