import { choose } from "../connection/choose.ts";
import { readConfigFile } from "../connection/config-file.ts";
import type { ConnectionOptions } from "../frame/verb.ts";

/** What can be asked for; the other kinds a shell has by itself. */
export const foundKinds = ["exec-id", "profile", "remote-path", "either-path"] as const;

export type FoundKind = (typeof foundKinds)[number];

/** More are of no use to anybody who types. */
const mostCandidates = 500;

export interface CandidatesQuery {
  /** What was typed of it. */
  readonly word: string;
  readonly connection: ConnectionOptions;
  /** How long to wait for a server, to connect and to answer. */
  readonly patienceMs: number;
}

/** The words that may stand where one was begun. Rejects where they cannot be had. */
export async function candidates(kind: FoundKind, query: CandidatesQuery): Promise<string[]> {
  const { word } = query;
  const all = await candidatesOf(kind, query);
  // A name with a line break in it is no line of ours.
  return all.filter((each) => each.startsWith(word) && !/\p{Cc}/u.test(each)).slice(0, mostCandidates);
}

async function candidatesOf(kind: FoundKind, query: CandidatesQuery): Promise<string[]> {
  const { word, connection } = query;
  switch (kind) {
    case "profile":
      return profiles();
    case "exec-id":
      return await execIds(query);
    case "remote-path":
      return await paths(query);
    case "either-path": {
      const [, profile = "", path] = /^([^/:]*):(.*)$/s.exec(word) ?? [];
      if (path === undefined) return profiles().map((name) => `${name}:`);
      const { host: _host, profile: _profile, ...rest } = connection;
      const there = await paths({
        ...query,
        word: path,
        connection: profile === "" ? connection : { ...rest, profile },
      });
      return there.map((each) => `${profile}:${each}`);
    }
  }
}

function profiles(): string[] {
  return [...(readConfigFile()?.profiles.keys() ?? [])];
}

async function execIds(query: CandidatesQuery): Promise<string[]> {
  await using workspace = await connect(query);
  return (await workspace.execs()).map(({ execId }) => execId);
}

async function paths(query: CandidatesQuery): Promise<string[]> {
  const { word } = query;
  const directory = word.slice(0, word.lastIndexOf("/") + 1);
  const begun = word.slice(directory.length);
  await using workspace = await connect(query);
  const entries = await workspace.fs.readdir(directory === "" ? "." : directory, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const { name } = entry;
    if (typeof name !== "string" || (name.startsWith(".") && !begun.startsWith("."))) return [];
    return `${directory}${name}${entry.isDirectory() ? "/" : ""}`;
  });
}

/** Never asks for a key, and never waits for a server. */
async function connect({ connection, patienceMs }: CandidatesQuery) {
  const { options } = choose(connection);
  const { RemoteWorkspace } = await import("@yonder/client");
  const timeouts = { connectMs: patienceMs, callMs: patienceMs };
  return await RemoteWorkspace.connect({ ...options, timeouts, retry: { maxElapsedMs: 0 } });
}
