/** Reads the schema from the running API, which has a typed mutation for each of your tasks. */
import type { CodegenConfig } from "@graphql-codegen/cli";

const url = process.env["TASKENGINE_URL"] ?? "http://127.0.0.1:8000/graphql";
const key = process.env["TASKENGINE_KEY"];

const config: CodegenConfig = {
  schema: { [url]: { headers: key ? { Authorization: `Bearer ${key}` } : {} } },
  documents: "src/report.ts",
  generates: {
    "src/generated/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string",
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
        importExtension: ".js",
        scalars: {
          DateTime: "string",
          JSON: "unknown",
          BigInt: "number | string",
          Decimal: "number | string",
          Date: "string",
          Time: "string",
          Duration: "string",
          UUID: "string",
          Base64: "string",
        },
      },
    },
  },
};

export default config;
