import { parseAddress } from "../../client/src/index.ts";
import type { RemoteWorkspaceOptions } from "../../client/src/index.ts";
import { examine } from "../../cli/src/doctor/examine.ts";
import type { Finding, Step } from "../../cli/src/doctor/finding.ts";

export interface DiagnoseOptions extends Partial<RemoteWorkspaceOptions> {
  readonly apiKey?: string;
  readonly timeoutMs?: number;
  /** Default: no stream is watched. */
  readonly idleMs?: number;
  readonly version?: string;
  /** Whether to let the server look at its machine too, which takes some time. Default false. */
  readonly machine?: boolean;
}

/** What the doctor finds, by step. */
export interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly of: (step: Step) => Finding;
  /** Status and detail of what is neither fine nor skipped. */
  readonly faults: readonly string[];
}

/** Lets the doctor look, as the verb does. */
export async function diagnose(host: string, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const { timeoutMs = 20_000, idleMs = 0, version = "0.1.0", machine = false, ...given } = options;
  const keyFrom = given.apiKey === undefined ? undefined : "YONDER_API_KEY";
  const choice = { options: { ...given, host, apiKey: given.apiKey }, saidBy: "--host", keyFrom };
  const findings: Finding[] = [];
  const subject = { address: parseAddress(host), choice, timeoutMs, idleMs, version };
  for await (const finding of examine(subject)) {
    findings.push(finding);
    if (!machine && finding.step === "idle") break;
  }
  return {
    findings,
    of(step) {
      const found = findings.find((each) => each.step === step);
      if (found === undefined) throw new Error(`nothing was found on ${step}`);
      return found;
    },
    faults: findings
      .filter(({ status }) => status === "failed" || status === "warning")
      .map(({ step, status, detail }) => `${step} ${status}: ${detail}`),
  };
}
