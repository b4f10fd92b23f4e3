// Reads {name: document} as JSON on standard input, parses each with the reference parser, prints {name: [diagnostic]}.
// A diagnostic has `severity` (0 error, 1 warning, 2 information, 3 hint), `code`, `path` and `message`.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const documents = JSON.parse(readFileSync(0, "utf8"));
const parser = new Parser();
const found = {};
for (const [name, document] of Object.entries(documents)) {
  const { document: parsed, diagnostics } = await parser.parse(JSON.stringify(document));
  found[name] = diagnostics.map(({ severity, code, path, message }) => ({ severity, code, path: path.join("/"), message }));
  if (!parsed && !found[name].some(({ severity }) => severity === 0)) {
    found[name].push({ severity: 0, code: "not-parsed", path: "", message: "the parser gave no document" });
  }
}
process.stdout.write(JSON.stringify(found));
