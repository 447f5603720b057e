import type { ConnectRouterOptions, HandlerContext } from "@connectrpc/connect";
import { FailedPrecondition } from "../util/errors.ts";
import { callRecordKey } from "./call-record.ts";
import type { CallRecord } from "./call-record.ts";
import { toConnectError } from "./error-map.ts";
import type { OnInternalError } from "./error-map.ts";
import type { Identity } from "./identity.ts";
import { explainTooLarge } from "./too-large.ts";

/** A check of a call by its headers; throws a DomainError to refuse it. */
export type GateCheck = (context: HandlerContext) => void;

export interface RequestGateOptions {
  readonly checks: readonly GateCheck[];
  readonly maxMessageBytes: number;
  readonly onInternal: OnInternalError;
}

/** Runs the checks before anything of a request's body is read. */
export function createRequestGate({
  checks,
  maxMessageBytes,
  onInternal,
}: RequestGateOptions): NonNullable<ConnectRouterOptions["requestGate"]> {
  return (context) => {
    const record: CallRecord | undefined = context.values.get(callRecordKey);
    if (record !== undefined) record.signal = context.signal;
    try {
      for (const check of checks) check(context);
    } catch (error) {
      const mapped = toConnectError(error, onInternal);
      if (record !== undefined) record.error = mapped;
      throw mapped;
    }
    explainTooLarge(context.signal, maxMessageBytes);
  };
}

/** Refuses a call that means another workspace, so that a reused address never runs somebody else's command. */
export function checkWorkspaceId(identity: Identity): GateCheck {
  return ({ requestHeader }) => {
    const meant = requestHeader.get(workspaceIdHeader);
    if (meant === null || meant === identity.workspaceId) return;
    throw new FailedPrecondition("INSTANCE_CHANGED", `This is not workspace ${meant}; nothing was done`, {
      subject: meant,
      remedy: "The address belongs to another workspace now; find out where yours is.",
      ...identity,
    });
  };
}

export const workspaceIdHeader = "yonder-workspace-id";
