import { describe, expect, it } from "vitest";
import { parseSignal, signalName } from "../../../../server/src/exec/process/signals.ts";

describe("a signal", () => {
  it.each([
    ["SIGINT", 2],
    ["INT", 2],
    ["int", 2],
    [" SigTerm ", 15],
    ["2", 2],
    ["9", 9],
    ["SIGIOT", 6],
    ["SIGPOLL", 29],
  ])("is understood as %j", (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.runIf(process.platform === "linux").each([
    ["SIGRTMIN", 34],
    ["RTMIN", 34],
    ["SIGRTMIN+1", 35],
    ["rtmax-2", 62],
    ["SIGRTMAX", 64],
    ["SIGRTMIN+30", 64],
    ["64", 64],
  ])("of real time is understood as %j", (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.each([
    "",
    "0",
    "65",
    "999",
    "-9",
    "SIG",
    "SIGSIGINT",
    "SIGFOO",
    "SIGRTMIN+31",
    "SIGRTMAX-31",
    "SIGRTMIN-1",
    "SIGRTMAX+1",
    "2x",
  ])("is not %j", (text) => {
    expect(() => parseSignal(text)).toThrow(
      expect.objectContaining({ name: "InvalidRequest", reason: "UNKNOWN_SIGNAL" }) as Error,
    );
  });

  it("has a name for its number, and the number for its name", () => {
    expect([1, 6, 9, 15, 29].map(signalName)).toEqual(["SIGHUP", "SIGABRT", "SIGKILL", "SIGTERM", "SIGIO"]);
    if (process.platform !== "linux") return;
    expect([34, 35, 64, 33].map(signalName)).toEqual(["SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+30", "SIG33"]);
    for (let number = 34; number <= 64; number++) expect(parseSignal(signalName(number))).toBe(number);
  });
});
