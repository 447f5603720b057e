import { readFileSync } from "node:fs";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason, ExecService } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { codeByReason, toConnectError } from "../../../server/src/rpc/error-map.ts";
import { truncateUtf8 } from "../../../server/src/rpc/truncate-utf8.ts";
import { FailedPrecondition, LimitExceeded, NotFound } from "../../../server/src/util/errors.ts";
import { openTestEdge, transports } from "../../helpers/edge.ts";

const reasons = Object.keys(ErrorReason).filter((name) => name !== "UNSPECIFIED");

/** The status that goes with each reason, as a text says it: "NOT_FOUND" for EXEC_NOT_FOUND. */
function statusNames(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(codeByReason).map(([reason, code]) => [
      reason,
      (Code[code] ?? "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(),
    ]),
  );
}

describe("the table of reasons", () => {
  test("has each reason of the contract", () => {
    expect(Object.keys(codeByReason).toSorted()).toEqual(reasons.toSorted());
  });

  test("agrees with the contract's comments", () => {
    const proto = readFileSync(new URL("../../../proto/yonder/workspace/v1/error.proto", import.meta.url), "utf8");
    const commented = proto.matchAll(
      /^ {2}\/\/ ([A-Z_]+): [^\n]*\n(?: {2}\/\/[^\n]*\n)* {2}ERROR_REASON_([A-Z_]+) =/gm,
    );
    expect(Object.fromEntries([...commented].map(([, code, reason]) => [reason, code]))).toEqual(statusNames());
  });

  test("agrees with docs/errors.md, which has each reason once, with a cause and a remedy", () => {
    const docs = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
    const documented: string[] = [];
    for (const section of docs.split(/^## /m).slice(1)) {
      const [, code] = /^([A-Z_]+):/.exec(section) ?? [];
      // What the client itself says has no status on the wire.
      if (code === undefined) continue;
      for (const [, reason = "", cause = "", remedy = ""] of section.matchAll(
        /^\| `([A-Z_]+)` +\|([^|]+)\|([^|]+)\|$/gm,
      )) {
        documented.push(`${code} ${reason}`);
        expect(cause.trim()).not.toBe("");
        expect(remedy.trim()).not.toBe("");
      }
    }
    const expected = Object.entries(statusNames()).map(([reason, code]) => `${code} ${reason}`);
    expect(documented.toSorted()).toEqual(expected.toSorted());
  });
});

const never = (): void => {
  throw new Error("nothing internal happened");
};

test("a domain error is told with everything that a caller can use", () => {
  const error = toConnectError(
    new LimitExceeded("LIMIT_EXCEEDED", "256 execs run, which is the limit", {
      subject: "max_running_execs",
      remedy: "End one.",
      limit: { name: "max_running_execs", value: 256 },
      retryDelayMs: 1_500,
      expectedOffset: 7,
      cause: new Error("secret"),
    }),
    never,
  );
  expect(error.code).toBe(Code.ResourceExhausted);
  expect(error.rawMessage).toBe("256 execs run, which is the limit");
  expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
    {
      reason: ErrorReason.LIMIT_EXCEEDED,
      subject: "max_running_execs",
      remedy: "End one.",
      retryable: true,
      limit: { name: "max_running_execs", value: 256n },
      retryDelay: { seconds: 1n, nanos: 500_000_000 },
      expectedOffset: 7n,
    },
  ]);
});

test("the protocol's own errors pass as they are", () => {
  const deadline = new ConnectError("too late", Code.DeadlineExceeded);
  expect(toConnectError(deadline, never)).toBe(deadline);
});

describe.each(Object.entries(transports))("%s", (_name, createTransport) => {
  test("what nobody foresaw is told as INTERNAL with an id, and only the log has its cause", async () => {
    const getExec = () => {
      throw Object.assign(new Error("ENOENT: no such file, open '/etc/s3cret'"), { code: "ENOENT" });
    };
    const { url, log } = await openTestEdge({ exec: { getExec } });
    const error = ConnectError.from(
      await createClient(ExecService, createTransport(url))
        .getExec({})
        .catch((caught: unknown) => caught),
    );
    expect(error.code).toBe(Code.Internal);
    const [detail] = error.findDetails(ErrorDetailSchema);
    expect(detail).toMatchObject({ reason: ErrorReason.INTERNAL, subject: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(JSON.stringify([error.message, detail?.subject, detail?.remedy])).not.toMatch(/ENOENT|s3cret/);
    const logged = log.filter(({ level }) => level === 50);
    expect(logged).toMatchObject([{ errorId: detail?.subject, err: { message: expect.stringContaining("s3cret") } }]);
  });

  test("the longest texts and the strangest characters arrive, cut where they must be", async () => {
    const subject = `\uD800 \n ${"ä€😀".repeat(2_000)}`;
    const getExec = () => {
      throw new NotFound("FILE_NOT_FOUND", `There is no ${subject}`, { subject, remedy: subject });
    };
    const { url } = await openTestEdge({ exec: { getExec } });
    const error = ConnectError.from(
      await createClient(ExecService, createTransport(url))
        .getExec({})
        .catch((caught: unknown) => caught),
    );
    expect(error.code).toBe(Code.NotFound);
    expect(error.rawMessage).toMatch(/^There is no \uFFFD \n ä€😀.*…$/s);
    expect(error.findDetails(ErrorDetailSchema)[0]?.subject).toMatch(/…$/);
  });

  test("an error in the midst of a stream comes after what was sent before it", async () => {
    async function* exec() {
      yield { event: { event: { case: "heartbeat", value: {} } } } as const;
      throw new FailedPrecondition("EXEC_ENDED", "It has ended", { subject: "x" });
    }
    const { url } = await openTestEdge({ exec: { exec } });
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const { event } of createClient(ExecService, createTransport(url)).exec({}))
        seen.push(event?.event.case);
    };
    await expect(read()).rejects.toMatchObject({ code: Code.FailedPrecondition, rawMessage: "It has ended" });
    expect(seen).toEqual(["heartbeat"]);
  });
});

test.each([
  ["short", 10, "short"],
  ["exactly ten", 11, "exactly ten"],
  ["longer than that", 10, "longer …"],
  ["äöüäöü", 8, "äö…"],
  ["😀😀😀", 11, "😀😀…"],
])("%j in %d bytes is %j", (text, maxBytes, expected) => {
  expect(truncateUtf8(text, maxBytes)).toBe(expected);
  expect(Buffer.byteLength(truncateUtf8(text, maxBytes))).toBeLessThanOrEqual(maxBytes);
});
