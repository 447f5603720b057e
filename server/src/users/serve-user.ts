import { createServer } from "node:http2";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { FileService, GitService } from "@yonder/proto";
import { fitWindows } from "@yonder/wire";
import { Files } from "../files/files.ts";
import { Git } from "../git/git.ts";
import { http2Options } from "../http/http2-sessions.ts";
import { createNodeHandler } from "../http/node-handler.ts";
import { RunningRequests } from "../http/running-requests.ts";
import { silentLogger } from "../logging/logger.ts";
import { createFileService } from "../rpc/file-service.ts";
import { createGitService } from "../rpc/git-service.ts";
import { mapErrors } from "../rpc/map-errors.ts";
import { returnOnAbort } from "../rpc/return-on-abort.ts";
import { createStrictRouter } from "../rpc/strict-router.ts";
import { eachLine, FAILURE, IDLE, READY, STOP, type UserFailure, type UserSettings } from "./user-process-words.ts";

/*
 * The program of a process that works as one user: FileService and GitService over descriptor 3, with that user's
 * rights and nothing of the server's. It is in a directory of the user's own, which need not be reachable by its path.
 */

/** How long the end may take, operations included. */
const END_MS = 1_500;
const FAILURE_CHARACTERS = 16 * 1024;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Served {
  readonly stop: () => Promise<void>;
  readonly close: () => Promise<void>;
}

async function serve({ identity, workingDirectory, confine, limits }: UserSettings): Promise<Served> {
  const files = await Files.open({ workingDirectory, uploadsDirectory: "uploads", confine, limits });
  const git = new Git({ paths: files.paths, limits });
  const fileService = createFileService(files, identity);
  const gitService = createGitService(git, identity);
  const running = new RunningRequests();
  let lastEnd = performance.now();
  const handler = createNodeHandler({
    routes: (router) =>
      void createStrictRouter(router).service(FileService, fileService).service(GitService, gitService),
    // The server has refused what is too large, unknown or not let in.
    routerOptions: { acceptCompression: [], interceptors: [mapErrors(tellFailure), returnOnAbort] },
    logger: silentLogger(),
  });
  const counted = running.counted((request, response) => {
    response.once("close", () => (lastEnd = performance.now()));
    handler(request, response);
  });
  const server = createServer(http2Options, counted);
  server.on("session", (session) => {
    session.on("error", () => {});
    fitWindows(session);
  });
  const socket = new Socket({ fd: 3 });
  socket.on("error", () => {});
  server.emit("connection", socket);

  const idleMs = Math.max(limits.requestRetentionMs, limits.watchReconnectGraceMs);
  const look = async (): Promise<void> => {
    const isQuiet = running.count === 0 && performance.now() - lastEnd >= idleMs;
    if (isQuiet && !git.isBusy && !(await files.isBusy())) say(IDLE);
  };
  setInterval(() => void look().catch(() => {}), Math.min(60_000, Math.max(100, idleMs / 4)));

  return {
    stop: () => git.stop(),
    close: async () => void (await Promise.all([git.stop(), files.close()])),
  };
}

function tellFailure(id: string, error: unknown): void {
  const failure: UserFailure = { id, cause: inspect(error).slice(0, FAILURE_CHARACTERS) };
  say(FAILURE + JSON.stringify(failure));
}

// A terminal or a supervisor means the server, which says by itself when this is to end.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
// The server is gone: its end of standard input is, too.
process.stdout.on("error", () => {});

let served: Promise<Served> | undefined;
process.stdin.setEncoding("utf8").on(
  "data",
  eachLine(Infinity, (line) => {
    if (served === undefined) {
      served = serve(JSON.parse(line) as UserSettings);
      void served.then(() => say(READY));
    } else if (line === STOP) {
      void served.then(({ stop }) => stop());
    }
  }),
);
process.stdin.on("close", () => {
  const closed = served?.then(({ close }) => close()).catch(() => {});
  void Promise.race([closed, sleep(END_MS)]).then(() => process.exit(0));
});
