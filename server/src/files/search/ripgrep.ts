import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { createRequire } from "node:module";
import { InvalidRequest, Unsupported } from "../../util/errors.ts";
import { toolVersion } from "../../util/tool-version.ts";
import type { ToolVersion } from "../../util/tool-version.ts";
import { isText, pathText } from "../path-bytes.ts";
import { headBytes, isBinary, lineMatch } from "./line-match.ts";
import type { LineMatch } from "./line-match.ts";
import { readRecords } from "./read-records.ts";
import type { Candidate, SearchMatch } from "./search.ts";

/** The ripgrep that is installed beside the server; undefined where there is none. */
export async function findRipgrep(): Promise<string | undefined> {
  const program = installedRipgrep();
  return program !== undefined && (await toolVersion(program)).problem === "" ? program : undefined;
}

/** Its version, or why there is none that runs. */
export async function ripgrepVersion(): Promise<ToolVersion> {
  const program = installedRipgrep();
  if (program !== undefined) return await toolVersion(program);
  return { version: "", problem: "@vscode/ripgrep is not installed beside the server" };
}

function installedRipgrep(): string | undefined {
  try {
    const { rgPath } = createRequire(import.meta.url)("@vscode/ripgrep") as { rgPath: string };
    return rgPath;
  } catch {
    return undefined;
  }
}

/** Throws where the expression cannot be searched for. */
export async function checkRegex(program: string | undefined, regex: string, ignoreCase: boolean): Promise<void> {
  if (program === undefined) {
    throw new Unsupported("REGEX_UNSUPPORTED", "This server cannot search for regular expressions", {
      remedy: "Search for a literal; or install @vscode/ripgrep beside a server that is not confined.",
    });
  }
  const { code, stderr } = await run(program, [...flags(regex, ignoreCase), "-"]);
  if (code !== 2) return;
  // Below it ripgrep may advise on flags of its own.
  const what = /^(?:error|rg): (.*[^:\n])$/m.exec(stderr)?.[1] ?? stderr.trim();
  throw new InvalidRequest("INVALID_FIELD", `The regular expression is malformed: ${what}`, { subject: "regex" });
}

export interface RegexSearchOptions {
  readonly program: string;
  readonly regex: string;
  readonly ignoreCase: boolean;
  /** How many matches of one file. */
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly onUnreadable: () => void;
}

/** The lines of the files that match. ripgrep gets the files that our own walk finds, so both find the same ones. */
export async function* searchRegex(
  candidates: AsyncIterable<Candidate> | Iterable<Candidate>,
  options: RegexSearchOptions,
): AsyncGenerator<SearchMatch> {
  let batch: Candidate[] = [];
  let bytes = 0;
  for await (const candidate of candidates) {
    if (!isText(candidate.at)) {
      if (batch.length > 0) yield* searchBatch(batch, options, false);
      [batch, bytes] = [[], 0];
      yield* searchBatch([candidate], options, true);
      continue;
    }
    batch.push(candidate);
    bytes += candidate.at.length;
    if (batch.length < maxBatchFiles && bytes < maxBatchBytes) continue;
    yield* searchBatch(batch, options, false);
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield* searchBatch(batch, options, false);
}

/** @param byInput for a name that no argument can hold: the file is ripgrep's standard input */
async function* searchBatch(
  batch: readonly Candidate[],
  options: RegexSearchOptions,
  byInput: boolean,
): AsyncGenerator<SearchMatch> {
  const input = byInput ? await open(batch[0]?.at ?? "", constants.O_RDONLY).catch(() => undefined) : undefined;
  const files = byInput ? ["-"] : batch.map(({ at }) => pathText(at));
  const byName = new Map(batch.map((candidate) => [byInput ? "<stdin>" : pathText(candidate.at), candidate]));
  const child = spawn(options.program, [...flags(options.regex, options.ignoreCase), "--", ...files], {
    stdio: [input?.fd ?? "ignore", "pipe", "ignore"],
    signal: options.signal,
  });
  child.on("error", () => {});
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let current: { candidate: Candidate; count: number; isBinary: boolean } | undefined;
  try {
    for await (const record of readRecords(child.stdout as AsyncIterable<Buffer>)) {
      const { type, data } = record as RipgrepRecord;
      if (type === "begin") {
        const candidate = byName.get(textOf(data.path));
        current = candidate && { candidate, count: 0, isBinary: await isBinaryFile(candidate, options.onUnreadable) };
      }
      if (type !== "match" || current === undefined || current.isBinary || current.count >= options.limit) continue;
      current.count++;
      const { path, kind } = current.candidate;
      yield { path, kind, ...toMatch(data) };
    }
  } finally {
    child.kill("SIGKILL");
    await closed;
    await input?.close();
  }
}

/** What both searches take for no text. */
async function isBinaryFile({ at }: Candidate, onUnreadable: () => void): Promise<boolean> {
  const handle = await open(at, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) {
    onUnreadable();
    return true;
  }
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return isBinary(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

function toMatch({ lines, line_number, submatches }: RipgrepRecord["data"]): LineMatch {
  const spans = submatches.map(({ start, end }) => ({ begin: start, end }));
  return lineMatch(line_number, bytesOf(lines), spans);
}

function flags(regex: string, ignoreCase: boolean): string[] {
  // One thread, so that the files come in their order.
  const always = ["--no-config", "--json", "--text", "--crlf", "--no-messages", "--threads=1", "--no-ignore"];
  return [...always, ignoreCase ? "--ignore-case" : "--case-sensitive", "--regexp", regex];
}

async function run(program: string, args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stderr };
}

interface RipgrepBytes {
  readonly text?: string;
  readonly bytes?: string;
}

/** What `rg --json` prints. */
interface RipgrepRecord {
  readonly type: string;
  readonly data: {
    readonly path: RipgrepBytes;
    readonly lines: RipgrepBytes;
    readonly line_number: number;
    readonly submatches: readonly { readonly start: number; readonly end: number }[];
  };
}

function bytesOf({ text, bytes }: RipgrepBytes): Buffer {
  return text === undefined ? Buffer.from(bytes ?? "", "base64") : Buffer.from(text);
}

function textOf(value: RipgrepBytes): string {
  return bytesOf(value).toString("utf8");
}

const maxBatchFiles = 1_000;
const maxBatchBytes = 64 * 1024;
