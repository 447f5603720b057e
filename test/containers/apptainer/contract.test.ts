import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { ApptainerWorkspace } from "../../../client/src/apptainer/apptainer-workspace.ts";
import { workspaceSuite } from "../../contract/workspace-suite.ts";
import { engines, instanceOptions, instancesOf } from "../../helpers/engines/instances.ts";

describe.skipIf(!engines.available)("in an instance of Apptainer", () => {
  workspaceSuite("ApptainerWorkspace", async () => {
    const runtimeDir = mkdtempSync(join(tmpdir(), "yonder-run-"));
    const workspace = await ApptainerWorkspace.start(await instanceOptions({ runtimeDir }));
    return {
      workspace,
      [Symbol.asyncDispose]: async () => {
        await workspace.close();
        expect(await instancesOf(runtimeDir)).toEqual([]);
        rmSync(runtimeDir, { recursive: true, force: true });
      },
    };
  });
});
