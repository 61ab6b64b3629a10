// Reads one page a line, as JSON, and answers with a line of JSON: what html-validate finds in it.
import { createInterface } from "node:readline";
import { HtmlValidate } from "html-validate";

const validate = new HtmlValidate({
  root: true,
  extends: ["html-validate:recommended", "html-validate:a11y", "html-validate:document"],
  rules: {
    "no-implicit-button-type": "off", // a button that sends its form is what a button is
    "long-title": "off", // the subject of a mail is the title of its page
    "no-trailing-whitespace": "off", // templates leave some, and no browser sees it
    "require-sri": "off", // all that is loaded is of this origin
    "form-dup-name": ["error", { shared: ["radio", "checkbox", "button", "submit"] }], // several may be ticked
    "doctype-style": "off",
    "attribute-boolean-style": "off", // our own macros decide, once
  },
});

for await (const line of createInterface({ input: process.stdin })) {
  const report = await validate.validateString(JSON.parse(line));
  const found = report.results.flatMap((result) => result.messages);
  console.log(JSON.stringify(found.map((each) => `${each.line}: ${each.ruleId}: ${each.message}`)));
}
