import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ExecEvent, RemoteWorkspace } from "../../client/src/index.ts";
import { startProxy } from "../helpers/proxy.ts";
import type { Proxy } from "../helpers/proxy.ts";
import { serve } from "../helpers/serve.ts";
import type { ServedWorkspace } from "../helpers/serve.ts";
import type { NamedWire } from "../helpers/wires.ts";
import { connect } from "../helpers/workspaces.ts";

/** How many cuts are tried at once, each over a connection of its own. */
const LANES = 6;

/** Cuts connections at every byte there is. */
export function describeCuts(namedWires: readonly NamedWire[]): void {
  describe.for(namedWires)("by %s", { timeout: 180_000 }, ([, wire]) => {
    test("a cut at any byte of a finished command's stream changes neither its bytes nor its end", async () => {
      const { server, lanes } = await openLanes(wire);
      const direct = await connect({ host: server.url, ...wire });
      const handle = await direct.spawn("for i in 1 2 3 4; do printf $i; printf e$i >&2; sleep 0.01; done; exit 3");
      await handle.wait();
      const expected = await collect(handle.events());
      expect(expected).toMatchObject({ stdout: "1234", stderr: "e1e2e3e4", end: { reason: "EXITED", exitCode: 3 } });

      const wireBytes = await everyOffset(lanes, async ({ workspace, cutNext }, offset) => {
        const again = await workspace.attach(handle.execId);
        cutNext(offset);
        expect(await collect(again.events()), `cut at ${offset}`).toEqual(expected);
      });
      expect(wireBytes).toBeGreaterThan(100);
    });

    test("a cut at any byte of a running command's stream changes neither its bytes nor its end", async () => {
      const { lanes } = await openLanes(wire);

      await everyOffset(lanes, async ({ workspace, cutNext }, offset) => {
        const handle = await workspace.spawn("printf 1; printf e1 >&2; read line; printf $line; exit 3");
        cutNext(offset);
        const events: ExecEvent[] = [];
        let answered: Promise<void> | undefined;
        for await (const event of handle.events()) {
          events.push(event);
          // It goes on only once a reader has its first bytes, so there is always something live to come.
          if (event.type === "output") answered ??= handle.stdin.write("2\n");
        }
        await answered;
        expect(await collect(events), `cut at ${offset}`).toMatchObject({
          stdout: "12",
          stderr: "e1",
          end: { reason: "EXITED", exitCode: 3, stdoutBytes: 2, stderrBytes: 2 },
        });
      });
    });

    test.for(["cutAfterBytes", "cutAfterBytesUp"] as const)(
      "a command whose start is cut at any byte (%s) runs once and answers in full",
      async (direction) => {
        const { server, lanes } = await openLanes(wire);
        const runs = join(server.workingDirectory, "runs");
        await appendFile(runs, "");
        const ids: string[] = [];

        await everyOffset(lanes, async ({ workspace, cutNext }, offset) => {
          const execId = `${direction}-${offset}`;
          ids.push(execId);
          cutNext(offset, direction);
          const result = await workspace.executeCommand(`echo ${execId} >> runs; printf out; printf err >&2; exit 3`, {
            execId,
          });
          expect(result, `cut at ${offset}`).toMatchObject({
            exitCode: 3,
            stdout: "out",
            stderr: "err",
            reason: "EXITED",
          });
        });

        const ran = (await readFile(runs, "utf8")).trimEnd().split("\n");
        expect(ran.toSorted()).toEqual(ids.toSorted());
      },
    );
  });
}

interface Lane {
  readonly proxy: Proxy;
  readonly workspace: RemoteWorkspace;
  /** The next connection is cut at this byte, and only that one; before it, all that are open are given up. */
  readonly cutNext: (offset: number, direction?: "cutAfterBytes" | "cutAfterBytesUp") => void;
}

async function openLanes(wire: NamedWire[1]): Promise<{ server: ServedWorkspace; lanes: Lane[] }> {
  const server = await serve();
  const lanes = await Promise.all(
    Array.from({ length: LANES }, async () => {
      const proxy = await startProxy({ target: server.url });
      onTestFinished(() => proxy.close());
      const workspace = await connect({ host: proxy.url, ...wire });
      return {
        proxy,
        workspace,
        cutNext(offset: number, direction: "cutAfterBytes" | "cutAfterBytesUp" = "cutAfterBytes") {
          let isCut = false;
          const budget = (): number => {
            if (isCut) return Infinity;
            isCut = true;
            return offset;
          };
          proxy.set({ cutAfterBytes: Infinity, cutAfterBytesUp: Infinity, [direction]: budget });
          workspace.resetClient();
        },
      };
    }),
  );
  return { server, lanes };
}

/** Tries each offset from 1 on until one lies past the last byte of the connection. Answers how many were tried. */
async function everyOffset(lanes: Lane[], attempt: (lane: Lane, offset: number) => Promise<void>): Promise<number> {
  let next = 1;
  let isPast = false;
  await Promise.all(
    lanes.map(async (lane) => {
      while (!isPast) {
        const offset = next++;
        const { cuts } = lane.proxy;
        await attempt(lane, offset);
        if (lane.proxy.cuts === cuts) isPast = true;
      }
    }),
  );
  return next;
}

/** What was told, whatever the pieces in which it came. */
async function collect(events: AsyncIterable<ExecEvent> | Iterable<ExecEvent>) {
  const text = { stdout: "", stderr: "" };
  let ends = 0;
  let end: ExecEvent | undefined;
  for await (const event of events) {
    if (event.type === "output") text[event.stream] += event.text;
    if (event.type === "lost") throw new Error(`bytes from ${event.cursor} on were lost`);
    if (event.type === "ended") {
      ends += 1;
      end = event;
    }
  }
  return { ...text, ends, end };
}
