// Writes test/vectors/messages.json anew from the contract; with --check only says whether it is what it would write.
// Runs with --conditions=@yonder/source: `npm run generate` and `npm run check:contract` do that.
import { readFileSync, writeFileSync } from "node:fs";
import { makeVectors, vectorFile } from "../test/vectors/make-vectors.ts";

const path = new URL("../test/vectors/messages.json", import.meta.url);
const text = vectorFile(makeVectors());
if (!process.argv.includes("--check")) writeFileSync(path, text);
else if (readFileSync(path, "utf8") !== text) process.exitCode = 1;
