export { createApp } from "./app.ts";
export type { App, AppOptions } from "./app.ts";
export { ConfigError } from "./config/config-error.ts";
export { startServer } from "./start-server.ts";
export type { RunningServer, ServerOptions } from "./start-server.ts";
export { version } from "./version.ts";
export { openWorkspace } from "./workspace.ts";
export type { OpenWorkspace, WorkspaceOptions } from "./workspace.ts";

/** The settings of `yonder serve` as its help has them, for pages and completion. */
export async function describeServe(): Promise<readonly { readonly flags: string; readonly description: string }[]> {
  const { createServeCommand } = await import("./config/command.ts");
  const { options } = createServeCommand({}, async () => {});
  return options.map(({ flags, description }) => ({ flags, description }));
}

/** Runs `yonder serve` with these arguments until it is stopped by a signal, and ends the process. */
export async function serve(args: readonly string[]): Promise<never> {
  // Not imported above: who embeds the server needs no command line.
  const { main } = await import("./main.ts");
  return await main(args);
}
