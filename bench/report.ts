// `npm run bench:report`: writes the kept results anew as tables and plots, and their summary into docs/bench.md, without
// measuring anything.
import { readFileSync, writeFileSync } from "node:fs";
import { renderKept, summarizeKept } from "./kit/keep-results.ts";

const page = new URL("../docs/bench.md", import.meta.url);
const block = /(?<=<!-- npm run bench:report -->\n\n```\n).*?(?=```\n)/s;

renderKept();
const text = readFileSync(page, "utf8");
if (!block.test(text)) throw new Error(`${page.pathname} has no place for the summary`);
writeFileSync(
  page,
  text.replace(block, () => `${summarizeKept().trim()}\n`),
);
