import { Code, ConnectError } from "@connectrpc/connect";
import { FileKindSchema, FileService, WatchChangeKindSchema } from "@yonder/proto";
import type { WatchChange, WatchResponse } from "@yonder/proto";
import type { AsUser } from "../as-user.ts";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import { Silence } from "../connection/silence.ts";
import { enumName } from "../connection/wire-values.ts";
import type { IgnoreOptions } from "../tree/ignore-rules.ts";
import type { FileKind } from "./file-stats.ts";
import { fromWirePath } from "./wire-path.ts";
import type { WirePlace } from "./wire-path.ts";

export interface WatchOptions extends IgnoreOptions, AsUser {
  /** Watch the whole tree. Default false. */
  recursive?: boolean | undefined;
  /** Called once it is watched: what changes from then on is told. */
  onReady?: (() => void) | undefined;
  /** Stops watching; the iteration then ends. */
  signal?: AbortSignal | undefined;
}

/** Something that changed. Paths are relative to what is watched; empty for itself. */
export type WatchEvent =
  | { readonly type: "created" | "modified" | "removed"; readonly path: string | Buffer; readonly kind: FileKind }
  | {
      readonly type: "renamed";
      readonly path: string | Buffer;
      readonly oldPath: string | Buffer;
      readonly kind: FileKind;
    }
  /** Changes may have been missed: look at everything again. */
  | { readonly type: "resync"; readonly cause: string };

/** Tells what changes, over as many connections as it takes: what happened during a cut follows, or a resync. */
export async function* watch(
  connection: Connection,
  path: WirePlace,
  { recursive = false, exclude = [], gitignore = false, onReady, signal }: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const retry = connection.retry({ signal });
  const request = { ...path, recursive, exclude: [...exclude], gitignore, resumeToken: "" };
  for (;;) {
    const abort = new LinkedAbort(signal, connection.closed);
    const silent = new Silence(connection, abort);
    try {
      const replies = await connection.stream(FileService.method.watch, request, retry, abort.signal);
      for await (const message of { [Symbol.asyncIterator]: () => replies } as AsyncIterable<WatchResponse>) {
        silent.restart();
        retry.progress();
        if (message.event.case === "started" && request.resumeToken === "") onReady?.();
        yield* eventsOf(message);
        request.resumeToken = message.token;
      }
      throw new ConnectError("the stream ended", Code.Unavailable);
    } catch (error) {
      if (isAborted(signal)) return;
      await retry.after(abort.signal.aborted && !connection.closed.aborted ? abort.signal.reason : error);
    } finally {
      silent.stop();
      abort.abort(new ConnectError("the reader has gone", Code.Canceled));
      abort.release();
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function* eventsOf({ event }: WatchResponse): Generator<WatchEvent> {
  if (event.case === "resync") yield { type: "resync", cause: event.value.cause };
  if (event.case === "changes") for (const change of event.value.changes) yield* eventOf(change);
}

function* eventOf(change: WatchChange): Generator<WatchEvent> {
  const kind = (enumName(FileKindSchema, change.fileKind) as FileKind | undefined) ?? "UNKNOWN";
  const path = fromWirePath(change);
  const name = enumName(WatchChangeKindSchema, change.kind);
  if (name === "CREATED") yield { type: "created", path, kind };
  else if (name === "MODIFIED") yield { type: "modified", path, kind };
  else if (name === "REMOVED") yield { type: "removed", path, kind };
  else if (name === "RENAMED") {
    yield {
      type: "renamed",
      path,
      oldPath: fromWirePath({ path: change.oldPath, rawPath: change.rawOldPath }),
      kind,
    };
  } else yield { type: "resync", cause: "Something changed in a way that this client does not know." };
}
