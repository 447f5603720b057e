#!/usr/bin/env node
import { openOwnPipes } from "./output/own-pipes.ts";

openOwnPipes();
// Not imported above: wherever node:process is imported, Node opens its own streams before any code runs.
const { run } = await import("./frame/run.ts");
await run(process.argv.slice(2));
