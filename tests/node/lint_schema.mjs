// Lints a schema with graphql-eslint's rules for schemas and for Relay: node lint_schema.mjs FILE
// Prints one JSON list of {rule, line, message}.
import { readFileSync } from "node:fs";
import path from "node:path";

import graphql from "@graphql-eslint/eslint-plugin";
import { ESLint } from "eslint";
import { buildSchema, isObjectType } from "graphql";

const file = path.resolve(process.argv[2]);
const text = readFileSync(file, "utf8");
const values = Object.values(buildSchema(text).getTypeMap())
  .filter((type) => isObjectType(type) && !type.getInterfaces().some(({ name }) => name === "Node"))
  .map(({ name }) => name);
const config = {
  files: ["**/*.graphql"],
  languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: file } } },
  plugins: { "@graphql-eslint": graphql },
  rules: {
    ...graphql.configs["flat/schema-recommended"].rules,
    ...graphql.configs["flat/schema-relay"].rules,
    // What can be asked for again has an id: those are the Nodes. Counts, errors, pages and the like are values.
    "@graphql-eslint/strict-id-in-types": ["error", { exceptions: { types: values } }],
    // Else no list at all would be allowed: not tags, not errors, and not `nodes` beside `edges`.
    "@graphql-eslint/relay-edge-types": [
      "error",
      { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
    ],
  },
};
const eslint = new ESLint({ cwd: path.dirname(file), overrideConfigFile: true, overrideConfig: [config] });
const [{ messages }] = await eslint.lintText(text, { filePath: file });
console.log(JSON.stringify(messages.map(({ ruleId, line, message }) => ({ rule: ruleId, line, message }))));
