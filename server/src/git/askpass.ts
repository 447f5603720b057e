import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { packageDirectory } from "../util/package-directory.ts";
import type { BoundPassword } from "./credentials.ts";
import { originOf } from "./remote-url.ts";

/** Answers the questions of one git process, over a socket that only the server's user can reach. */
export interface Askpass {
  /** What leads git and ssh to it; none of it is secret. */
  readonly variables: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const PROGRAM = join(packageDirectory, "bin", "askpass");
const MOST_QUESTION_BYTES = 64 * 1024;

/**
 * @param path where the socket is to lie, in a directory that nobody else can enter
 * @param passphrase answers ssh's question for the passphrase of a key
 */
export async function openAskpass(
  path: string,
  passwords: readonly BoundPassword[],
  passphrase: string,
): Promise<Askpass> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    answer(socket, (question) => answerTo(question, passwords, passphrase));
  });
  await listen(server, path);
  return {
    variables: {
      GIT_ASKPASS: PROGRAM,
      SSH_ASKPASS: PROGRAM,
      SSH_ASKPASS_REQUIRE: "force",
      YONDER_ASKPASS_SOCKET: path,
      YONDER_ASKPASS_NODE: process.execPath,
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/**
 * "Username for 'https://host': ", "Password for 'https://user@host': ", "Enter passphrase for (stdin): ". Whatever host
 * a redirect or a submodule led git to, the question names it, and only the one that a secret is bound to is answered.
 */
function answerTo(question: string, passwords: readonly BoundPassword[], passphrase: string): string | undefined {
  // A second time it says that the first answer was a bad one, and would go on asking.
  if (question.startsWith("Bad passphrase")) return undefined;
  if (/passphrase/i.test(question)) return passphrase === "" ? undefined : passphrase;
  const [, what, address = ""] = /^(Username|Password) for '(.*)': ?$/s.exec(question) ?? [];
  const origin = what === undefined ? undefined : originIn(address);
  const found = passwords.find((password) => password.origin === origin);
  return what === "Username" ? found?.username : found?.password;
}

/** The origin of an address whose user name git may have left as it was given. */
function originIn(address: string): string | undefined {
  const host = address.replace(/^(https?:\/\/).*@/s, "$1");
  return URL.canParse(host) ? originOf(new URL(host)) : undefined;
}

/** By events: in Node 22 an iteration over a socket destroys it at its end, also the side that answers. */
function answer(socket: Socket, find: (question: string) => string | undefined): void {
  let question = "";
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: string) => {
    question += chunk;
    if (question.length > MOST_QUESTION_BYTES) socket.destroy();
  });
  socket.on("end", () => socket.end(find(question) ?? ""));
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
