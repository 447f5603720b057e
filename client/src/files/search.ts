import { Code, ConnectError } from "@connectrpc/connect";
import { FileKindSchema, FileService } from "@yonder/proto";
import type { SearchResponse } from "@yonder/proto";
import type { AsUser } from "../as-user.ts";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import { Silence } from "../connection/silence.ts";
import { enumName } from "../connection/wire-values.ts";
import type { FileKind } from "./file-stats.ts";
import { fromWirePath } from "./wire-path.ts";
import type { WirePlace } from "./wire-path.ts";

export interface SearchOptions extends AsUser {
  /** Where to search: a directory or a file. Default: the workspace's directory. */
  path?: string | Uint8Array | undefined;
  /** Only files that match one of these globs; a glob without "/" matches names alone, and "!" excludes. */
  globs?: readonly string[] | undefined;
  /** A text that a line must hold, or a regular expression. Default: the files themselves are found. */
  text?: string | undefined;
  regex?: string | undefined;
  /** Take upper and lower case as the same, in content. Default false. */
  ignoreCase?: boolean | undefined;
  /** Search names that begin with "." too. Default false. */
  includeHidden?: boolean | undefined;
  /** Search what .gitignore files say too. Default false. */
  includeIgnored?: boolean | undefined;
  /** How many matches to find at most. Default 1,000. */
  maxMatches?: number | undefined;
  /** How many of one file. Default: no limit. */
  maxMatchesPerFile?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A file that was found, or a line of one. */
export interface SearchMatch {
  /** Relative to where was searched. */
  readonly path: string | Buffer;
  readonly kind: FileKind;
  /** From 1. Undefined where files were searched. */
  readonly lineNumber: number | undefined;
  /** The line without its end, the first 8 KiB of it. */
  readonly line: string;
  readonly lineTruncated: boolean;
  /** Where the matches are, in bytes of the line. */
  readonly spans: readonly { readonly begin: number; readonly end: number }[];
}

/** What a search found, and whether that is all. */
export interface SearchResult {
  readonly matches: SearchMatch[];
  /** Whether there may be more than were found. */
  readonly truncated: boolean;
  /** How many files could not be read. */
  readonly unreadableFiles: number;
}

/** Searches; a search that is cut, or on which nothing comes any more, is begun again. */
export async function search(connection: Connection, path: WirePlace, options: SearchOptions): Promise<SearchResult> {
  const retry = connection.retry(options);
  for (;;) {
    const abort = new LinkedAbort(options.signal, connection.closed);
    const silence = new Silence(connection, abort);
    try {
      const request = { ...path, ...toRequest(options) };
      const replies = await connection.stream(FileService.method.search, request, retry, abort.signal);
      return await collect({ [Symbol.asyncIterator]: () => replies }, silence);
    } catch (error) {
      await retry.after(abort.signal.aborted ? abort.signal.reason : error);
    } finally {
      silence.stop();
      abort.release();
    }
  }
}

async function collect(replies: AsyncIterable<SearchResponse>, silence: Silence): Promise<SearchResult> {
  const matches: SearchMatch[] = [];
  let finished: Omit<SearchResult, "matches"> | undefined;
  for await (const { event } of replies) {
    silence.restart();
    if (event.case === "finished") {
      const { truncated, unreadableFiles } = event.value;
      finished = { truncated, unreadableFiles: Number(unreadableFiles) };
    }
    if (event.case !== "found") continue;
    const { fileKind, lineNumber, line, lineTruncated, spans } = event.value;
    matches.push({
      path: fromWirePath(event.value),
      kind: (enumName(FileKindSchema, fileKind) as FileKind | undefined) ?? "UNKNOWN",
      lineNumber: lineNumber === 0n ? undefined : Number(lineNumber),
      line: Buffer.from(line).toString(),
      lineTruncated,
      spans: spans.map(({ begin, end }) => ({ begin, end })),
    });
  }
  if (finished === undefined) throw new ConnectError("protocol error: the search broke off", Code.InvalidArgument);
  return { matches, ...finished };
}

function toRequest(options: SearchOptions) {
  const { globs = [], text, regex } = options;
  return {
    globs: [...globs],
    content:
      text !== undefined
        ? { case: "literal" as const, value: text }
        : regex !== undefined
          ? { case: "regex" as const, value: regex }
          : { case: undefined },
    ignoreCase: options.ignoreCase ?? false,
    includeHidden: options.includeHidden ?? false,
    includeIgnored: options.includeIgnored ?? false,
    maxMatches: options.maxMatches ?? 0,
    maxMatchesPerFile: options.maxMatchesPerFile ?? 0,
  };
}
