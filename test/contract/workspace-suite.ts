import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import type { Workspace } from "../../client/src/index.ts";
import { attachSuite } from "./attach-suite.ts";
import { commandSuite } from "./command-suite.ts";
import { endSuite } from "./end-suite.ts";
import { filesSuite } from "./files-suite.ts";
import { gitSuite } from "./git-suite.ts";
import { inputSuite } from "./input-suite.ts";
import { outputSuite } from "./output-suite.ts";
import { refusalSuite } from "./refusal-suite.ts";
import { spawnSuite } from "./spawn-suite.ts";
import { terminalSuite } from "./terminal-suite.ts";
import { wholeSuite } from "./whole-suite.ts";

/** A workspace under test. Its directory is fresh, and the suite touches nothing else. */
export interface Body extends AsyncDisposable {
  readonly workspace: Workspace;
  /** Opens the workspace anew as another client would, beside the first. Absent where there is no other way in. */
  readonly reopen?: () => Promise<Workspace>;
}

/** What the parts of the suite are given; only there once the tests run. */
export interface Bench {
  readonly workspace: Workspace;
  readonly body: Body;
}

/**
 * What every Workspace does, whichever body it has. It knows the body by its interface alone and sees its files by
 * commands, so that it runs on a container as on this machine.
 */
export function workspaceSuite(name: string, open: () => Promise<Body>): void {
  describe(`${name}:`, () => {
    let body: Body | undefined;
    const bench: Bench = {
      get body() {
        if (!body) throw new Error("the body is open only while tests run");
        return body;
      },
      get workspace() {
        return bench.body.workspace;
      },
    };

    beforeAll(async () => {
      body = await open();
    });
    afterAll(async () => {
      await body?.[Symbol.asyncDispose]();
    });
    afterEach(async () => {
      const left = await bench.workspace.execs({ state: "running" });
      for (const { execId } of left) await (await bench.workspace.attach(execId)).kill("SIGKILL");
      expect(left.map(({ command }) => command)).toEqual([]);
    });

    commandSuite(bench);
    inputSuite(bench);
    outputSuite(bench);
    endSuite(bench);
    refusalSuite(bench);
    spawnSuite(bench);
    attachSuite(bench);
    terminalSuite(bench);
    filesSuite(bench);
    gitSuite(bench);
    wholeSuite(bench);
  });
}
