import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectError, createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReasonSchema, FileService } from "@yonder/proto";
import type { ErrorDetail, ErrorReason } from "@yonder/proto";
import { expect, onTestFinished } from "vitest";
import { createApp } from "../../server/src/app.ts";
import { Files } from "../../server/src/files/files.ts";
import { Activity } from "../../server/src/rpc/activity.ts";
import { createFileService } from "../../server/src/rpc/file-service.ts";
import type { Limits } from "../../server/src/util/limits.ts";

export interface FileServerOptions {
  readonly confine?: boolean;
  readonly limits?: Partial<Limits>;
  /** Default: a new one, removed after the test. */
  readonly directory?: string;
  readonly uploadsDirectory?: string;
}

export interface FileServer {
  readonly client: Client<typeof FileService>;
  readonly files: Files;
  /** The working directory. */
  readonly directory: string;
  readonly uploadsDirectory: string;
  close(): Promise<void>;
}

/** The file service in memory over a temporary directory, with the interceptors of a real server. */
export async function openFileServer(options: FileServerOptions = {}): Promise<FileServer> {
  const directory = options.directory ?? (await temporaryDirectory());
  const uploadsDirectory = options.uploadsDirectory ?? join(await temporaryDirectory(), "uploads");
  const confine = options.confine === true ? directory : undefined;
  const files = await Files.open({
    workingDirectory: directory,
    uploadsDirectory,
    confine,
    limits: options.limits ?? {},
  });
  const identity = { workspaceId: randomUUID(), instanceId: randomUUID() };
  const app = createApp({
    identity,
    activity: new Activity(),
    maxMessageBytes: 4 * 1024 * 1024,
    routes: (router) => void router.service(FileService, createFileService(files, identity)),
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= files.close());
  onTestFinished(close);
  return { client: createClient(FileService, app.createTransport()), files, directory, uploadsDirectory, close };
}

export async function temporaryDirectory(parent = tmpdir()): Promise<string> {
  await mkdir(parent, { recursive: true });
  const directory = await realpath(await mkdtemp(join(parent, "yonder-files-")));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The error's detail; fails where the call succeeds, or the error has none. */
export async function detailOf(call: Promise<unknown> | AsyncIterable<unknown>): Promise<ErrorDetail> {
  try {
    if (Symbol.asyncIterator in call) for await (const _ of call);
    else await call;
  } catch (error) {
    const detail = ConnectError.from(error).findDetails(ErrorDetailSchema)[0];
    if (detail === undefined) throw error;
    return detail;
  }
  throw new Error("the call succeeded");
}

/** Expects a call to fail for this reason, and returns the detail. */
export async function expectReason(
  call: Promise<unknown> | AsyncIterable<unknown>,
  reason: keyof typeof ErrorReason,
): Promise<ErrorDetail> {
  const detail = await detailOf(call);
  expect(ErrorReasonSchema.value[detail.reason]?.localName).toBe(reason);
  return detail;
}

/** Everything that is left of uploads below a directory. */
export async function partsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return names.filter((name) => name.includes(".yonder-part-"));
}
