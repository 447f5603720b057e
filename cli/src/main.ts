#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command } from "commander";

const program = new Command("yonder")
  .description("Work in a workspace that is somewhere else, or serve one")
  .version(ownVersion(), "-V, --version", "Show the version")
  .helpOption("-h, --help", "Show this help")
  .helpCommand(false)
  .showHelpAfterError("See `yonder --help`.")
  // 2 as shells have it for wrong usage.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

// A verb's code is loaded when it is called, and reads its own arguments.
verb("serve", "Serve a workspace: run commands in it for clients elsewhere", async (args) => {
  const { serve } = await import("./serve.ts");
  await serve(args);
});
verb("key", "Make an API key, and the digest of it that a server is given", async (args) => {
  const { key } = await import("./key.ts");
  await key(args);
});

await program.parseAsync();

function verb(name: string, description: string, run: (args: readonly string[]) => Promise<void>): void {
  program
    .command(name)
    .description(description)
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_options: unknown, command: Command) => await run(command.args));
}

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
