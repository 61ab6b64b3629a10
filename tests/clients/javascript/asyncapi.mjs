// Reads an AsyncAPI document with the project's own parser: asyncapi.mjs FILE. Says what is wrong; exit code 1 if anything.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const each of diagnostics) {
  console.log(`${each.severity} ${each.code} ${each.path.join("/")}: ${each.message}`);
}
if (!document || diagnostics.some((each) => each.severity < 2)) process.exit(1);
console.log(`${document.allMessages().length} messages`);
