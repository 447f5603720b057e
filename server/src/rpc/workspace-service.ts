import { durationFromMs, timestampFromDate, timestampNow } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Feature, type WorkspaceService } from "@yonder/proto";
import type { LauncherFeature } from "../exec/launcher.ts";
import type { FileFeature } from "../files/files.ts";
import type { Limits } from "../util/limits.ts";
import { pathText } from "../util/path-text.ts";
import { diagnosisMessage } from "./diagnosis-message.ts";
import type { MachineDiagnosis } from "./diagnosis-message.ts";
import type { Identity } from "./identity.ts";
import { limitsMessage } from "./limits-message.ts";

export interface WorkspaceFacts {
  readonly identity: Identity;
  readonly version: string;
  readonly features: ReadonlySet<LauncherFeature | FileFeature>;
  readonly notices: readonly string[];
  readonly workingDirectory: Buffer;
  readonly limits: Limits;
  readonly labels: Readonly<Record<string, string>>;
  /** When the server last did something for a client. */
  readonly lastActivityTime: () => Date;
  readonly runningExecs: () => number;
  /** Looks at the machine. */
  readonly diagnose: () => Promise<MachineDiagnosis>;
}

/** WorkspaceService: what answers at this address. */
export function createWorkspaceService(facts: WorkspaceFacts): ServiceImpl<typeof WorkspaceService> {
  const directory = pathText(facts.workingDirectory);
  const startMs = performance.now();
  // One look at a time: it starts processes.
  let look: Promise<MachineDiagnosis> | undefined;
  const diagnose = (): Promise<MachineDiagnosis> => (look ??= facts.diagnose().finally(() => (look = undefined)));
  return {
    async getInfo({ diagnose: isAsked }) {
      const diagnosis = isAsked ? diagnosisMessage(await diagnose()) : undefined;
      return { ...basics(), ...(diagnosis && { diagnosis }) };
    },
  };

  function basics() {
    return {
      ...facts.identity,
      version: facts.version,
      features: [...facts.features].map((feature) => Feature[feature]),
      workingDirectory: directory.text,
      rawWorkingDirectory: directory.bytes,
      limits: limitsMessage(facts.limits),
      labels: facts.labels,
      uptime: durationFromMs(Math.round(performance.now() - startMs)),
      lastActivityTime: timestampFromDate(facts.lastActivityTime()),
      runningExecs: facts.runningExecs(),
      platform: process.platform,
      architecture: process.arch,
      notices: [...facts.notices],
      // Last, so that it is as fresh as can be when it is sent.
      currentTime: timestampNow(),
    };
  }
}
