import { finished } from "node:stream";
import { hideKeys } from "./auth/hide-keys.ts";
import { createServeCommand, misconfigured } from "./config/command.ts";
import { ConfigError } from "./config/config-error.ts";
import { fillSettings, readKeys } from "./config/read-settings.ts";
import type { GivenSettings } from "./config/read-settings.ts";
import { openLog } from "./logging/logger.ts";
import type { LogSink } from "./logging/logger.ts";
import { startServer } from "./start-server.ts";
import type { RunningServer } from "./start-server.ts";

/** Runs `yonder serve` with these arguments until it is stopped, and ends the process. */
export async function main(args: readonly string[]): Promise<never> {
  try {
    await createServeCommand(process.env, serve).parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`yonder serve: ${error.message}\n`);
    process.exit(misconfigured);
  }
  // Commands that are left running would keep the process alive by their pipes.
  process.exit(0);
}

async function serve(given: GivenSettings): Promise<void> {
  const apiKeys = readKeys(process.env);
  const log = openLog(fillSettings(given).logLevel);
  try {
    hideKeys(apiKeys, log.logger);
    const server = await startServer({ ...given, apiKeys, logger: log.logger });
    process.stdout.write(`yonder is listening on ${server.url}\n`);
    await untilStopped(server, log, fillSettings(given).stopWithStdin);
  } finally {
    await log.close();
  }
}

/**
 * Waits for a signal, or for standard input to end where that is to stop it, and for the server's orderly end. Another
 * signal ends the process at once.
 */
async function untilStopped(server: RunningServer, { logger }: LogSink, stopWithStdin: boolean): Promise<void> {
  let isStopping = false;
  const why = await new Promise<object>((resolve) => {
    const stop = (cause: object): void => {
      isStopping = true;
      resolve(cause);
    };
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => (isStopping ? process.exit(1) : stop({ signal })));
    }
    // One that cannot be read has ended, too.
    if (stopWithStdin) finished(process.stdin.resume(), () => stop({ stdin: "ended" }));
  });
  logger.info(why, "stopping");
  await server.close();
  logger.info("stopped");
}
