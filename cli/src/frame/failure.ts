import { getSystemErrorMap } from "node:util";
import type { ConnectionLost, YonderError } from "@yonder/client";
import { escapeControls } from "../output/escape.ts";
import { exitCodeByReason, ownFailure, usageFailure } from "./exits.ts";

/** What was asked for cannot be done. The message says why, and what to do. */
export class Failure extends Error {
  override readonly name: string = "Failure";
}

/** The command line is wrong. The message says what it should be; where help is, is said after it. */
export class UsageError extends Failure {
  override readonly name = "UsageError";
}

/** What to exit with for what was thrown. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof UsageError) return usageFailure;
  const refusal = error instanceof Failure ? error.cause : error;
  return (isYonderError(refusal) ? exitCodeByReason[refusal.reason] : undefined) ?? ownFailure;
}

/** One line for people: what happened, then what to do about it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return escapeControls(String(error));
  const remedy = isYonderError(error) ? remedyOf(error) : "";
  const parts = [error.message, remedy, comeBack(error)].filter((part) => part !== "").map(asPart);
  return escapeControls(inWordsOfTheCommand(plainSystemErrors(parts.join("; "))));
}

/**
 * "ENOENT: no such file or directory, open 'key'", or "write EPIPE", as Node has it, as other programs do: the file last,
 * and no codes.
 */
function plainSystemErrors(message: string): string {
  return message
    .replaceAll(systemError, (_all, what: string, path?: string) => (path === undefined ? what : `${what}: ${path}`))
    .replaceAll(pipeError, (all, code: string) => {
      return [...getSystemErrorMap().values()].find(([name]) => name === code)?.[1] ?? all;
    });
}

const systemError = /\bE[A-Z0-9]+: ([a-z][^,:;']*), [a-z]+\b(?: '([^']*)')?/g;
const pipeError = /\b(?:read|write) (E[A-Z0-9]+)\b/g;

function remedyOf({ reason, remedy }: YonderError): string {
  return reason === "CONNECTION_REFUSED" ? "Is the server running there? `yonder doctor` looks closer" : remedy;
}

/** How to come back to a command whose connection was lost. */
function comeBack(error: Error): string {
  const { execId, cursor, mayHaveRun } = error as Partial<ConnectionLost>;
  if (execId === undefined || mayHaveRun !== true) return "";
  const from = cursor === undefined ? "" : ` --cursor ${cursor}`;
  return `the command may run on: \`yonder attach${from} ${execId}\` comes back to it`;
}

/** Ours, without loading the client to ask. */
export function isYonderError(error: unknown): error is YonderError {
  return error instanceof Error && "reason" in error && "remedy" in error && "retryable" in error;
}

/** The client tells what to do in its own options; here they have other names. */
function inWordsOfTheCommand(message: string): string {
  return words.reduce((text, [option, flag]) => text.replaceAll(option, flag), message);
}

const words: readonly (readonly [option: string, here: string])[] = [
  ["tls.certKey", "--cert-key"],
  ["tls.cert", "--cert"],
  ["tls.ca", "--ca"],
  ["tls.key", "--cert-key"],
  ["tls.serverName", "--server-name"],
  ["tls.passphrase", "the profile's passphraseFile"],
  [", not the path of one", ""],
  ['httpVersion "1.1"', "--http-version 1.1"],
  ['httpVersion "2"', "--http-version 2"],
  ["a key goes into apiKey", "a key goes into YONDER_API_KEY"],
  ["leave `user` empty", "leave out --user"],
  ["choose another `working_directory`", "choose another with --cwd"],
  ["args.values names no program", "the first word, which names the program, is empty"],
  ["httpVersion must", "--http-version must"],
  ["set PATH in `environment.variables`", "set PATH with --env"],
  ["environment.variables has", "--env has"],
  ["name files in `paths`, or set `stage_all`", "name files, or give -a for all of them"],
  ["ListExecs has the ids", "`yonder ps` has the ids"],
  ["exec_id", "--id"],
  ["line_filter.regex", "--grep"],
  ["credentials.password.password", "the token"],
  ["credentials.password.username", "--username"],
  ["credentials.ssh_key.known_hosts", "--known-hosts"],
  ["credentials.ssh_key.private_key", "--ssh-key-file"],
  ["credentials.ssh_key", "--ssh-key-file"],
  ["killGraceMs", "--kill-grace"],
  ["disconnect_grace", "--disconnect-grace"],
  ["limits.memory_bytes", "--limit memory"],
  ["limits.cpu_time", "--limit cpu-time"],
  ["limits.open_files", "--limit open-files"],
  ["limits.processes", "--limit processes"],
  ["output.max_bytes", "--output-limit"],
];

/** A message or a remedy is a sentence of its own; here it is a part of one. */
function asPart(text: string): string {
  const start = /^[A-Z][a-z]* /.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  return start.replace(/\.$/, "");
}
