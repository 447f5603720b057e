import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Followed, followOutput } from "../helpers/follow-output.ts";
import { startProxy } from "../helpers/proxy.ts";
import type { Proxy } from "../helpers/proxy.ts";
import { sha256, writeRandomFile } from "../helpers/random-file.ts";
import { gone, serve } from "../helpers/serve.ts";
import type { ServedWorkspace } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";
import type { NamedWire, Wire } from "../helpers/wires.ts";
import { connect } from "../helpers/workspaces.ts";

const MIB = 2 ** 20;
const outputBytes = 50 * MIB;
/**
 * Nine tenths and more of the output are read from the disk; and no ping finds out about a connection that is cut, so
 * that it has to be noticed by itself.
 */
const flags = ["--journal-memory-bytes=1MiB", "--ping-interval=1h"];
/** Far below the output and what two readers have on the way: whoever holds it all is found out. */
const mostMemoryGrowth = 150 * MIB;

/** Sends 50 MB through connections that are cut, and through a server that is killed. */
export function describeResume(namedWires: readonly NamedWire[]): void {
  test.for(namedWires)(
    "50 MB of random output reach two readers whole through a wire that is cut at random bytes, by %s",
    { timeout: 120_000 },
    async ([, wire]) => {
      const server = await serve({ flags });
      const source = await writeRandomFile(join(server.workingDirectory, "random"), outputBytes);
      const proxy = await openCuttingProxy(server);
      const [fast, slow] = await connectTwo(proxy, wire);
      const memoryBefore = server.peakMemory();

      const handle = await fast.spawn("cat random");
      const [whole, slowWhole] = await Promise.all([
        followOutput(handle.events()),
        slow.attach(handle.execId).then((again) => followOutput(again.events(), { pauseMs: 2 })),
      ]);

      expect(whole).toMatchObject({ bytes: outputBytes, digest: sha256(source), lost: [] });
      expect(slowWhole).toMatchObject({ bytes: outputBytes, digest: sha256(source), lost: [] });
      expect(whole.end).toMatchObject({ reason: "EXITED", exitCode: 0, stdoutBytes: outputBytes });
      expect(slowWhole.end).toEqual(whole.end);
      expect(proxy.cuts).toBeGreaterThan(10);
      expect(server.peakMemory() - memoryBefore).toBeLessThan(mostMemoryGrowth);
      // None of the streams that were cut is left.
      await until(async () => (await handle.info()).readers === 0);
    },
  );

  test.for(namedWires)(
    "a server that is killed in the midst of 50 MB gives back all that it had told, and runs nothing again, by %s",
    { timeout: 120_000 },
    async ([, wire]) => {
      const server = await serve({ flags });
      const source = await writeRandomFile(join(server.workingDirectory, "random"), outputBytes);
      const proxy = await openCuttingProxy(server);
      const [fast, slow] = await connectTwo(proxy, wire);
      // It prints piece by piece and never ends by itself.
      const command = "echo ran >> runs; split --bytes=64K --filter='cat; sleep 0.002' random; sleep 600";

      const handle = await fast.spawn(command, { execId: "the-build" });
      const [ahead, behind] = [new Followed(), new Followed()];
      const reading = Promise.all([
        followOutput(handle.events(), { into: ahead }),
        followOutput((await slow.attach("the-build")).events(), { into: behind, pauseMs: 2 }),
      ]);
      await until(() => ahead.bytes > outputBytes / 3);
      const toldBefore = ahead.bytes;
      await server.stop("SIGKILL");
      await server.start();
      await reading;

      expect(ahead.bytes).toBeGreaterThanOrEqual(toldBefore);
      expect(ahead).toMatchObject({ digest: sha256(source.subarray(0, ahead.bytes)), lost: [] });
      expect(behind).toMatchObject({ bytes: ahead.bytes, digest: ahead.digest, lost: [] });
      expect(ahead.end).toMatchObject({ reason: "SERVER_LOST", exitCode: -1, stdoutBytes: ahead.bytes });
      expect(behind.end).toEqual(ahead.end);
      await gone(handle.pid);
      expect(server.marked).toEqual([]);

      const again = await fast.spawn(command, { execId: "the-build" });
      expect(await again.wait()).toEqual(ahead.end);
      const { stdout } = await fast.executeCommand("cat runs");
      expect(stdout).toBe("ran\n");
    },
  );
}

/** Each connection is cut after a number of bytes of its own, wherever in a message that is. */
async function openCuttingProxy(server: ServedWorkspace): Promise<Proxy> {
  const proxy = await startProxy({
    target: server.url,
    cutAfterBytes: () => 64 * 1024 + Math.floor(Math.random() * 3 * MIB),
  });
  onTestFinished(() => proxy.close());
  return proxy;
}

async function connectTwo({ url }: Proxy, wire: Wire) {
  return [await connect({ host: url, ...wire }), await connect({ host: url, ...wire })] as const;
}
