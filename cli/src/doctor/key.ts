import { isIP } from "node:net";
import type { RemoteWorkspace } from "@yonder/client";
import { describeError, isYonderError } from "../frame/failure.ts";
import { failed, ok, warning } from "./finding.ts";
import type { Finding, Subject } from "./finding.ts";

export interface Entry {
  readonly finding: Finding;
  /** Undefined where we are not let in. Whoever has it closes it. */
  readonly workspace: RemoteWorkspace | undefined;
}

/** Whether the server lets us in, and is the one that is meant. */
export async function enter(subject: Subject): Promise<Entry> {
  const { choice, timeoutMs } = subject;
  const { RemoteWorkspace } = await import("@yonder/client");
  try {
    const timeouts = { connectMs: timeoutMs, callMs: timeoutMs + serverLookMs };
    const workspace = await RemoteWorkspace.connect({ ...choice.options, timeouts, retry: { maxElapsedMs: 0 } });
    return { finding: letIn(subject), workspace };
  } catch (error) {
    return { finding: failed("key", ...describe(subject, error)), workspace: undefined };
  }
}

/** What the server may take to look at its machine. */
const serverLookMs = 5_000;

function letIn({ address: { target }, choice: { keyFrom } }: Subject): Finding {
  if (keyFrom !== undefined) return ok("key", `the server takes the one of ${keyFrom}`);
  const isLocal =
    "path" in target || target.host === "localhost" || (isIP(target.host) !== 0 && /^(127\.|::1$)/.test(target.host));
  if (isLocal) return ok("key", "the server wants none");
  return warning(
    "key",
    "the server wants none: everybody who reaches this address can run commands there",
    "Make one with `yonder key`, and start the server with its digest: --api-key-file.",
  );
}

function describe({ choice }: Subject, error: unknown): [detail: string, remedy: string] {
  const reason = isYonderError(error) ? error.reason : "";
  if (reason === "CREDENTIALS_MISSING") {
    return [
      "the server wants one, and none is known here",
      "Put it into a file that only you can read and the path into YONDER_API_KEY_FILE, or into the profile as apiKeyFile.",
    ];
  }
  if (reason === "CREDENTIALS_INVALID") {
    return [
      `the server does not take the one of ${choice.keyFrom ?? "nowhere"}`,
      "Ask whoever runs the server for a new one: `yonder key` makes a key, and the digest that the server is given.",
    ];
  }
  if (reason === "INSTANCE_CHANGED") {
    return [
      `another workspace answers than the one that ${choice.saidBy} means, ${choice.options.workspaceId ?? ""}`,
      "Find where yours went, or take workspaceId out of the profile to work in this one.",
    ];
  }
  return [describeError(error), "See the steps before this one, and the server's log."];
}
