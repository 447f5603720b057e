import { pino } from "pino";
import type { Logger } from "pino";
import { LogBatches } from "./log-batches.ts";

export type { Logger };

export const logLevels = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogSink {
  readonly logger: Logger;
  /** Writes out what waits, for at most `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>;
}

/** Logs JSON lines to a file descriptor, standard error by default. */
export function openLog(level: LogLevel, fd = 2): LogSink {
  // Not synchronous: whoever reads standard error and stands still would stop the whole server. Past `maxLength` waiting
  // lines are dropped instead.
  const destination = pino.destination({ fd, sync: false, maxLength: 4 * 1024 * 1024 });
  const batches = new LogBatches((lines) => destination.write(lines));
  // Whatever ends the process, also in the midst of something: what waits goes out first.
  const onExit = (): void => {
    batches.flush();
    destination.flushSync();
  };
  process.once("exit", onExit);
  return {
    logger: pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, batches),
    close: (timeoutMs = 500) =>
      new Promise((resolve) => {
        process.off("exit", onExit);
        batches.flush();
        setTimeout(resolve, timeoutMs).unref();
        destination.flush(() => resolve());
      }),
  };
}

/** A logger that says nothing, for servers that are embedded without one. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
