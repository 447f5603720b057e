import type { ChildProcess } from "node:child_process";
import { closeSync, fchownSync } from "node:fs";
import type { Socket } from "node:net";
import type { LaunchRequest, OutputSource, ProcessInput } from "../launcher.ts";
import { closeFifo, type Fifo, type FifoPool } from "./fifo-pool.ts";
import { createPipeInput, createSocketInput } from "./pipe-input.ts";
import { createPipeOutput, createSocketOutput } from "./pipe-output.ts";
import type { Terminal, TerminalOpener } from "./terminal.ts";
import type { Identity } from "./user.ts";

/** A process's standard streams, their ends and ours. */
export interface ProcessStdio {
  /** Standard input, output and error, for Node's spawn. */
  readonly childEnds: readonly ("pipe" | "ignore" | number)[];
  readonly terminal: Terminal | undefined;
  /** Takes our ends into use; the process has its own by now. */
  connect(child: ChildProcess): Streams;
  /** Closes the process's ends on our side. */
  closeChildEnds(): void;
  /** Closes our ends, instead of `connect`. */
  abandon(): void;
}

interface Streams {
  readonly outputs: readonly OutputSource[];
  readonly input: ProcessInput | undefined;
}

export async function openStdio(
  { terminal, stdin }: Pick<LaunchRequest, "terminal" | "stdin">,
  from: { readonly fifos: FifoPool; readonly terminals: TerminalOpener },
  owner: Identity | undefined,
): Promise<ProcessStdio> {
  if (terminal !== undefined) return terminalStdio(await from.terminals.open(terminal, owner?.uid));
  const fifos = await from.fifos.take(stdin ? 3 : 2);
  return fifos === undefined ? socketStdio(stdin) : fifoStdio(fifos, owner);
}

function terminalStdio(terminal: Terminal): ProcessStdio {
  const { processEnd, output, input } = terminal;
  return {
    childEnds: [processEnd, processEnd, processEnd],
    terminal,
    connect: () => ({ outputs: [output], input }),
    closeChildEnds: () => closeSync(processEnd),
    abandon: () => output.destroy(),
  };
}

function fifoStdio(fifos: readonly Fifo[], owner: Identity | undefined): ProcessStdio {
  const [stdout, stderr, stdin] = fifos;
  if (stdout === undefined || stderr === undefined) throw new Error("A process needs two FIFOs.");
  try {
    // So that the user it runs as can open /dev/stdout.
    if (owner !== undefined) for (const fifo of fifos) fchownSync(fifo.readEnd, owner.uid, owner.gid);
  } catch (error) {
    for (const fifo of fifos) closeFifo(fifo);
    throw error;
  }
  const childEnds = [stdout.writeEnd, stderr.writeEnd];
  const ourEnds = [stdout.readEnd, stderr.readEnd];
  if (stdin !== undefined) {
    childEnds.push(stdin.readEnd);
    ourEnds.push(stdin.writeEnd);
  }
  return {
    // libuv makes the first three block for the process.
    childEnds: [stdin?.readEnd ?? "ignore", stdout.writeEnd, stderr.writeEnd],
    terminal: undefined,
    connect: () => ({
      outputs: [createPipeOutput("stdout", stdout.readEnd), createPipeOutput("stderr", stderr.readEnd)],
      input: stdin === undefined ? undefined : createPipeInput(stdin.writeEnd),
    }),
    closeChildEnds: () => {
      for (const fd of childEnds) closeSync(fd);
    },
    abandon: () => {
      for (const fd of ourEnds) closeSync(fd);
    },
  };
}

/** Where no FIFOs can be made: Node's own. */
function socketStdio(stdin: boolean): ProcessStdio {
  return {
    childEnds: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
    terminal: undefined,
    connect: (child) => ({
      outputs: [
        createSocketOutput("stdout", child.stdout as Socket),
        createSocketOutput("stderr", child.stderr as Socket),
      ],
      input: child.stdin === null ? undefined : createSocketInput(child.stdin as Socket),
    }),
    closeChildEnds: () => {},
    abandon: () => {},
  };
}
