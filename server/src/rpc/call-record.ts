import { createContextKey } from "@connectrpc/connect";
import type { ConnectError } from "@connectrpc/connect";

/** What is written down of one call on its way, for the access log. Absent in memory, where nothing is logged. */
export interface CallRecord {
  /** How the call failed, where it did. */
  error?: ConnectError;
  /** The signal of the call's context: Connect aborts it with the error that it sends. */
  signal?: AbortSignal;
}

export const callRecordKey = createContextKey<CallRecord | undefined>(undefined, { description: "yonder call record" });
