import { closeSync, fchownSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import type { LaunchRequest, OutputSource, ProcessInput } from "../launcher.ts";
import type { AnonymousPipes } from "./anonymous-pipes.ts";
import type { Child } from "./child.ts";
import type { FifoPool } from "./fifo-pool.ts";
import { closePipe, type Pipe } from "./pipe.ts";
import { createPipeInput, createSocketInput } from "./pipe-input.ts";
import { createPipeOutput, createSocketOutput } from "./pipe-output.ts";
import type { OutputStream } from "../spec.ts";
import type { Terminal, TerminalOpener } from "./terminal.ts";
import type { Identity } from "./user.ts";

/** A process's standard streams, their ends and ours. */
export interface ProcessStdio {
  /** Standard input, output and error, as a spawner takes them. */
  readonly childEnds: readonly ("pipe" | "ignore" | number)[];
  readonly terminal: Terminal | undefined;
  /** Takes our ends into use; the process has its own by now. */
  connect(child: Pick<Child, "sockets">): Streams;
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
  from: { readonly fifos: FifoPool; readonly pipes: AnonymousPipes; readonly terminals: TerminalOpener },
  owner: Identity | undefined,
): Promise<ProcessStdio> {
  if (terminal !== undefined) return terminalStdio(await from.terminals.open(terminal, owner?.uid));
  const pipes: Pipe[] = [];
  try {
    const input = stdin ? await from.pipes.take() : undefined;
    if (input !== undefined) pipes.push(input);
    const outputs = (await from.fifos.take(2)) ?? [];
    pipes.push(...outputs);
    // So that the user it runs as can open /dev/stdout and its like.
    if (owner !== undefined) for (const pipe of pipes) fchownSync(pipe.readEnd, owner.uid, owner.gid);
    return pipeStdio({ stdin: input ?? (stdin ? "pipe" : "ignore"), stdout: outputs[0], stderr: outputs[1] });
  } catch (error) {
    for (const pipe of pipes) closePipe(pipe);
    throw error;
  }
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

/** Where we could make no pipe, Node makes a socket. */
interface PipeEnds {
  readonly stdin: Pipe | "pipe" | "ignore";
  readonly stdout: Pipe | undefined;
  readonly stderr: Pipe | undefined;
}

function pipeStdio({ stdin, stdout, stderr }: PipeEnds): ProcessStdio {
  const input = typeof stdin === "string" ? undefined : stdin;
  return {
    childEnds: [input?.readEnd ?? (stdin as "pipe" | "ignore"), stdout?.writeEnd ?? "pipe", stderr?.writeEnd ?? "pipe"],
    terminal: undefined,
    connect: ({ sockets }) => ({
      outputs: [outputOf("stdout", stdout, sockets.stdout), outputOf("stderr", stderr, sockets.stderr)],
      input: inputOf(input, sockets.stdin),
    }),
    closeChildEnds: () => closeAll([input?.readEnd, stdout?.writeEnd, stderr?.writeEnd]),
    abandon: () => closeAll([input?.writeEnd, stdout?.readEnd, stderr?.readEnd]),
  };
}

function outputOf(stream: OutputStream, pipe: Pipe | undefined, socket: Readable | null): OutputSource {
  return pipe === undefined ? createSocketOutput(stream, socket as Socket) : createPipeOutput(stream, pipe.readEnd);
}

function inputOf(pipe: Pipe | undefined, socket: Writable | null): ProcessInput | undefined {
  if (pipe !== undefined) return createPipeInput(pipe.writeEnd);
  return socket === null ? undefined : createSocketInput(socket as Socket);
}

function closeAll(fds: readonly (number | undefined)[]): void {
  for (const fd of fds) if (fd !== undefined) closeSync(fd);
}
