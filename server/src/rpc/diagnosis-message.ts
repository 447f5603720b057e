import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DiagnosisSchema, DiskDiagnosisSchema } from "@yonder/proto";
import type { LauncherDiagnosis } from "../exec/launcher.ts";
import type { FilesDiagnosis } from "../files/files.ts";
import type { DiskSpace } from "../util/disk-space.ts";
import { pathText } from "../util/path-text.ts";
import type { ToolVersion } from "../util/tool-version.ts";

/** What the rooms of the server found on its machine. */
export interface MachineDiagnosis extends LauncherDiagnosis, FilesDiagnosis {
  readonly git: ToolVersion;
  readonly stateDisk: DiskSpace;
  readonly workingDisk: DiskSpace;
}

/** The same as the contract tells it. */
export function diagnosisMessage(found: MachineDiagnosis): MessageInitShape<typeof DiagnosisSchema> {
  const { git, ripgrep, terminalProblem, inotify, orphans } = found;
  return {
    git,
    ripgrep,
    terminalProblem,
    ...(inotify && {
      inotify: {
        maxUserWatches: BigInt(inotify.maxUserWatches),
        maxUserInstances: BigInt(inotify.maxUserInstances),
        problem: inotify.problem,
      },
    }),
    ...(orphans && { orphans }),
    stateDisk: diskMessage(found.stateDisk),
    workingDisk: diskMessage(found.workingDisk),
  };
}

function diskMessage({ directory, ...space }: DiskSpace): MessageInitShape<typeof DiskDiagnosisSchema> {
  const { text, bytes } = pathText(directory);
  return { directory: text, rawDirectory: bytes, ...space };
}
