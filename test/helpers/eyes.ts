import headless from "@xterm/headless";
import type { AttachRequest, AttachResponse, ExecEnded, TerminalScreen } from "@yonder/proto";
import { expect } from "vitest";
import { refusal } from "./exec-server.ts";
import type { ExecServer } from "./exec-server.ts";

/** A terminal as a person has it before their eyes. */
export class Eyes {
  readonly terminal: headless.Terminal;
  cursor = 0n;
  ended: ExecEnded | undefined;
  readonly screens: TerminalScreen[] = [];
  readonly #server: ExecServer;
  readonly #caller = new AbortController();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(server: ExecServer, columns = 80, rows = 24) {
    this.#server = server;
    this.terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
  }

  watch(execId: string, start: AttachRequest["start"], readerId = ""): this {
    const stream = this.#server.exec.attach({ execId, start, readerId }, { signal: this.#caller.signal });
    this.#reading = this.#read(stream);
    this.#reading.catch(() => {});
    return this;
  }

  /** Hangs up, or waits for the end. */
  async leave(): Promise<void> {
    this.#caller.abort();
    if (this.ended === undefined) expect((await refusal(this.#reading)).code).toBe("CANCELED");
  }

  async whole(): Promise<ExecEnded | undefined> {
    await this.#reading;
    return this.ended;
  }

  /** What stands there: characters with their colours and styles, the cursor's place, and which of the two screens it is. */
  get picture(): { lines: string[]; styles: string[]; cursor: string; kind: string } {
    const { buffer } = this.terminal;
    const { active } = buffer;
    const lines: string[] = [];
    const styles: string[] = [];
    for (let row = 0; row < this.terminal.rows; row++) {
      const line = active.getLine(active.viewportY + row);
      lines.push(line?.translateToString(true) ?? "");
      const cells = Array.from({ length: this.terminal.cols }, (_, column) => line?.getCell(column));
      styles.push(cells.map((cell) => `${cell?.getFgColor()}${cell?.isInverse() ? "i" : ""}`).join(","));
    }
    return { lines, styles, cursor: `${active.cursorX},${active.cursorY}`, kind: active.type };
  }

  get text(): string {
    return this.picture.lines.join("\n");
  }

  async #read(stream: AsyncIterable<AttachResponse>): Promise<void> {
    for await (const { event } of stream) {
      switch (event?.event.case) {
        case "screen": {
          const screen = event.event.value;
          this.screens.push(screen);
          this.terminal.resize(screen.columns, screen.rows);
          this.terminal.reset();
          await this.#show(screen.data);
          this.cursor = screen.cursor;
          break;
        }
        case "output":
          expect(event.event.value.cursor).toBe(this.cursor);
          await this.#show(event.event.value.data);
          this.cursor += BigInt(event.event.value.data.length);
          break;
        case "ended":
          this.ended = event.event.value;
          break;
        default:
      }
    }
  }

  async #show(data: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.terminal.write(data, resolve));
  }
}
