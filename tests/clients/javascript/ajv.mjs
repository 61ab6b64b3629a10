// Compiles every schema of an OpenAPI document with ajv, and checks its examples: ajv.mjs FILE.
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const { components, paths } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const ajv = new Ajv2020({ strict: false, strictSchema: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: "described", components });
const at = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"described#/components/'));
let checked = 0;
const check = (schema, example, where) => {
  const validate = ajv.compile(at(schema));
  if (!validate(example)) {
    console.log(`${where}: ${ajv.errorsText(validate.errors)}`);
    process.exitCode = 1;
  }
  checked += 1;
};
const walk = (node, where) => {
  if (node === null || typeof node !== "object") return;
  if ("schema" in node && "example" in node) check(node.schema, node.example, where);
  else if ("schema" in node) ajv.compile(at(node.schema));
  for (const [name, inner] of Object.entries(node)) walk(inner, `${where}/${name}`);
};
for (const [name, schema] of Object.entries(components.schemas)) {
  ajv.compile(at(schema));
  for (const [field, shown] of Object.entries(schema.properties ?? {}))
    for (const example of shown.examples ?? []) check(shown, example, `${name}.${field}`);
}
walk(paths, "");
console.log(`${checked} examples`);
