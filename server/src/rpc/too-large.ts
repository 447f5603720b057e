import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason } from "@yonder/proto";

/**
 * Gives Connect's refusal of a message that is too large the detail that our own refusals have. Connect reads requests
 * before any interceptor and past them all, but whatever it refuses a call with, it aborts the call's signal with first:
 * that is the one place for every protocol, and before the error is written.
 */
export function explainTooLarge(signal: AbortSignal, maxMessageBytes: number): void {
  const explain = (): void => {
    const reason: unknown = signal.reason;
    if (!isTooLarge(reason) || reason.details.length > 0) return;
    const value = {
      reason: ErrorReason.LIMIT_EXCEEDED,
      remedy: "Send less in one message: files and standard input go in chunks.",
      limit: { name: "max_message_bytes", value: BigInt(maxMessageBytes) },
    };
    reason.details.push({ desc: ErrorDetailSchema, value });
  };
  signal.addEventListener("abort", explain, { once: true });
}

function isTooLarge(reason: unknown): reason is ConnectError {
  return (
    reason instanceof ConnectError &&
    reason.code === Code.ResourceExhausted &&
    reason.rawMessage.includes("larger than configured readMaxBytes")
  );
}
