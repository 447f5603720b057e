import type { Terminal as Emulator } from "@xterm/headless";
import type { SerializeAddon } from "@xterm/addon-serialize";
import type { Journal } from "./journal/journal.ts";
import type { Readers } from "./readers.ts";
import { SequenceScanner } from "./sequence-scanner.ts";
import type { TerminalSize } from "./spec.ts";

/** A screen is painted from at most so many of the last bytes; what came before has long scrolled away. */
const MOST_REPLAYED_BYTES = 4 * 1024 * 1024;
/** The emulator is kept this close to the output, so that painting for a new watcher is quick. */
const MOST_BEHIND_BYTES = 256 * 1024;
const SLICE_BYTES = 64 * 1024;
/** Between slices, so that a terminal that prints without end takes a fraction of a core and no more. */
const PAUSE_MS = 20;

const CURSOR_MODE = 25;
const HIDE_CURSOR = "\u001b[?25l";

interface TerminalEmulator {
  readonly terminal: Emulator;
  readonly serializer: SerializeAddon;
  readonly isCursorHidden: () => boolean;
}

export interface Screen {
  readonly cursor: number;
  readonly data: Uint8Array;
  readonly columns: number;
  readonly rows: number;
}

/** What a terminal shows, kept by an emulator that reads the journal like any other reader; and who owns its size. */
export class TerminalView {
  readonly #openJournal: () => Promise<Journal>;
  readonly #readers: Readers;
  readonly #onResize: (columns: number, rows: number) => void;
  #size: TerminalSize;
  #owner = "";
  #emulator: TerminalEmulator | undefined;
  #cursor = 0;
  #scanner = new SequenceScanner();
  #turn: Promise<unknown> = Promise.resolve();
  #isFollowing = false;
  #isClosed = false;

  constructor(options: {
    size: TerminalSize;
    openJournal: () => Promise<Journal>;
    readers: Readers;
    /** Called with the size that is now in force. */
    onResize: (columns: number, rows: number) => void;
  }) {
    this.#size = options.size;
    this.#openJournal = options.openJournal;
    this.#readers = options.readers;
    this.#onResize = options.onResize;
  }

  /** Keeps the emulator close to the output of a running terminal. */
  follow(journal: Journal): void {
    journal.onGrow(() => this.#followIfBehind(journal));
  }

  get size(): TerminalSize {
    return this.#size;
  }

  /** @returns whether the size is now in force; not where another reader owns it */
  resize(columns: number, rows: number, readerId: string, takeOwnership: boolean): boolean {
    const isOwned = this.#owner !== readerId && this.#readers.isAttached(this.#owner);
    if (isOwned && !takeOwnership) return columns === this.#size.columns && rows === this.#size.rows;
    if (readerId !== "") this.#owner = readerId;
    this.#size = { ...this.#size, columns, rows };
    this.#emulator?.terminal.resize(columns, rows);
    this.#onResize(columns, rows);
    return true;
  }

  /** Paints the screen as it stands. */
  screen(): Promise<Screen> {
    return this.#inTurn(async () => {
      const { terminal, serializer, isCursorHidden } = await this.#catchUp(Infinity);
      return {
        // What is half said does not show yet, so live output goes on from its begin.
        cursor: this.#cursor - this.#scanner.openBytes,
        data: Buffer.from(serializer.serialize({ scrollback: 0 }) + (isCursorHidden() ? HIDE_CURSOR : "")),
        columns: terminal.cols,
        rows: terminal.rows,
      };
    });
  }

  close(): void {
    this.#isClosed = true;
    // In turn: a write that is under way would never call back.
    void this.#inTurn(async () => this.#emulator?.terminal.dispose());
  }

  #followIfBehind(journal: Journal): void {
    if (this.#isFollowing || this.#isClosed || journal.endCursor - this.#cursor < MOST_BEHIND_BYTES) return;
    this.#isFollowing = true;
    const timer = setTimeout(() => {
      this.#inTurn(() => this.#catchUp(SLICE_BYTES))
        .finally(() => (this.#isFollowing = false))
        .then(
          () => this.#followIfBehind(journal),
          // Output that cannot be read is told to whoever asks for the screen; more of it tries again.
          () => undefined,
        );
    }, PAUSE_MS);
    timer.unref();
  }

  async #catchUp(mostBytes: number): Promise<TerminalEmulator> {
    const journal = await this.#openJournal();
    const emulator = (this.#emulator ??= await createEmulator(this.#size));
    if (journal.endCursor - this.#cursor > MOST_REPLAYED_BYTES) {
      this.#cursor = journal.endCursor - MOST_REPLAYED_BYTES;
      emulator.terminal.reset();
      this.#scanner = new SequenceScanner();
    }
    const end = Math.min(journal.endCursor, this.#cursor + mostBytes);
    while (this.#cursor < end && !this.#isClosed) {
      const { chunks, nextCursor } = await journal.read(this.#cursor, SLICE_BYTES);
      for (const { data } of chunks) {
        this.#scanner.feed(data);
        await new Promise<void>((resolve) => emulator.terminal.write(data, resolve));
      }
      this.#cursor = nextCursor;
    }
    return emulator;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** Loaded when a terminal first prints much or is watched again: most servers never need it. */
async function createEmulator(size: TerminalSize): Promise<TerminalEmulator> {
  const [headless, addon] = await Promise.all([import("@xterm/headless"), import("@xterm/addon-serialize")]);
  const terminal = new headless.default.Terminal({
    cols: size.columns,
    rows: size.rows,
    scrollback: 0,
    allowProposedApi: true,
  });
  const serializer = new addon.default.SerializeAddon();
  terminal.loadAddon(serializer);
  return { terminal, serializer, isCursorHidden: watchCursor(terminal) };
}

/** Whether the cursor is hidden, which the serializer does not say. */
function watchCursor({ parser }: Emulator): () => boolean {
  let isHidden = false;
  const onMode = (hides: boolean) => (params: (number | number[])[]) => {
    if (params.includes(CURSOR_MODE)) isHidden = hides;
    return false;
  };
  const onReset = () => (isHidden = false);
  parser.registerCsiHandler({ prefix: "?", final: "h" }, onMode(false));
  parser.registerCsiHandler({ prefix: "?", final: "l" }, onMode(true));
  parser.registerCsiHandler({ intermediates: "!", final: "p" }, onReset);
  parser.registerEscHandler({ final: "c" }, onReset);
  return () => isHidden;
}
