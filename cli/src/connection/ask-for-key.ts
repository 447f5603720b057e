import { openSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { ReadStream, WriteStream } from "node:tty";
import { exitCodeOfSignal } from "../frame/exits.ts";
import { escapeControls } from "../output/escape.ts";

/**
 * Asks the terminal for a key, without showing it; undefined where there is no terminal. As ssh does, it asks the
 * terminal itself, whatever standard input is: that may be the command's.
 */
export async function askForKey(host: string): Promise<string | undefined> {
  return await askSecretly(`Key for ${host}: `);
}

/** Asks the terminal for any secret, without showing it; undefined where there is no terminal, or no answer. */
export async function askSecretly(question: string): Promise<string | undefined> {
  const terminal = openTerminal();
  if (!terminal) return undefined;
  const { input, output } = terminal;
  // What is typed is echoed to nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  try {
    output.write(escapeControls(question));
    const key = await new Promise<string | undefined>((resolve) => {
      reader.once("line", resolve);
      reader.once("close", () => resolve(undefined));
      reader.once("SIGINT", () => {
        reader.close();
        output.write("\n");
        process.exit(exitCodeOfSignal(2));
      });
    });
    output.write("\n");
    return key?.trim() || undefined;
  } finally {
    reader.close();
    input.destroy();
    output.destroy();
  }
}

function openTerminal(): { input: ReadStream; output: WriteStream } | undefined {
  try {
    return { input: new ReadStream(openSync("/dev/tty", "r")), output: new WriteStream(openSync("/dev/tty", "w")) };
  } catch {
    return undefined;
  }
}
