import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { brokenPipe } from "../frame/exits.ts";
import { write } from "./write.ts";

/** Where something long is printed: a pager, or standard output. */
export interface Paged {
  write(data: string | Uint8Array): Promise<void>;
  /** Resolves when the reader has seen it, or has had enough. */
  end(): Promise<void>;
}

/**
 * Opens the pager that git would: $GIT_PAGER, else $PAGER, else less, by a shell, with less told to leave short texts on
 * the screen and to pass colours on. Without a terminal, or where it is empty or cat, there is none.
 */
export async function openPager(isWanted: boolean): Promise<Paged> {
  const { GIT_PAGER, PAGER, LESS = "FRX", LV = "-c" } = process.env;
  const command = GIT_PAGER ?? PAGER ?? (isOnPath("less") ? "less" : "");
  if (!isWanted || !process.stdout.isTTY || command === "" || command === "cat") return plain;
  const child = spawn("/bin/sh", ["-c", command], {
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...process.env, LESS, LV },
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  closed.catch(() => {});
  let isOpen = true;
  // Who leaves the pager has seen enough.
  child.stdin.on("error", () => (isOpen = false));
  void closed.then(() => (isOpen = false)).catch(() => (isOpen = false));
  // Ctrl-C is the pager's own: it stops a search there.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  let written = 0;
  return {
    async write(data) {
      if (!isOpen) process.exit(brokenPipe);
      written += data.length;
      if (!child.stdin.write(data)) await Promise.race([once(child.stdin, "drain").catch(() => {}), closed]);
    },
    async end() {
      child.stdin.end();
      const [exitCode] = await closed;
      process.off("SIGINT", ignore);
      // 127: there is no such program.
      if (exitCode === 127 && written > 0) {
        throw new Error(`the pager "${command}" cannot be run: set PAGER to another one, or to cat`);
      }
    },
  };
}

function isOnPath(program: string): boolean {
  const directories = (process.env["PATH"] ?? "").split(delimiter).filter((directory) => directory !== "");
  return directories.some((directory) => existsSync(join(directory, program)));
}

const plain: Paged = { write, end: async () => {} };
