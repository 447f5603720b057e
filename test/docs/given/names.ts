// What the pages' programs presume, in words beside them: names.d.ts has their types.
import { randomUUID } from "node:crypto";
import { RemoteWorkspace } from "@yonder/client";

const { YONDER_HOST: host = "http://127.0.0.1:8000", YONDER_API_KEY: apiKey = "a-key-that-no-server-asks-for" } =
  process.env;
// Some pages start a server of their own.
const workspace = await RemoteWorkspace.connect({ host, apiKey }).catch(() => undefined);
const token = "a token of the remote";
Object.assign(globalThis, { host, apiKey, workspace, token, github: token, gitlab: token, toolCallId: randomUUID() });

/** Called when the program is over, so that the process ends. */
export const end = async (): Promise<void> => await workspace?.close();
