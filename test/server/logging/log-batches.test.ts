import { pino } from "pino";
import { expect, it } from "vitest";
import { LogBatches } from "../../../server/src/logging/log-batches.ts";
import { until } from "../../helpers/until.ts";

/** What was written, write by write. */
function logTo(): { readonly writes: string[]; readonly batches: LogBatches; readonly logger: pino.Logger } {
  const writes: string[] = [];
  const batches = new LogBatches((lines) => writes.push(lines));
  return { writes, batches, logger: pino({ base: null }, batches) };
}

const linesOf = (write: string | undefined): string[] => (write ?? "").split("\n").filter((line) => line !== "");

it("writes lines that come together in one go", async () => {
  const { writes, logger } = logTo();
  for (let call = 0; call < 10; call++) logger.info({ call }, "call");
  expect(writes).toEqual([]);
  await until(() => writes.length > 0);
  expect(writes.map((write) => linesOf(write).length)).toEqual([10]);
});

it("writes trouble at once, after what came before it", () => {
  const { writes, logger } = logTo();
  logger.info("before");
  logger.warn("trouble");
  expect(linesOf(writes[0])).toHaveLength(2);
  expect(linesOf(writes[0])[1]).toContain("trouble");
});

it("lets no more wait than a bound", () => {
  const { writes, logger } = logTo();
  for (let call = 0; call < 100; call++) logger.info({ text: "x".repeat(1024) });
  expect(writes.length).toBeGreaterThan(0);
});

it("writes what waits when it is told to", () => {
  const { writes, batches, logger } = logTo();
  logger.info("last");
  batches.flush();
  batches.flush();
  expect(writes).toHaveLength(1);
});
