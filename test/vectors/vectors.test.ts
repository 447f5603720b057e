import { fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { messages } from "./contract.ts";
import { makeVectors } from "./make-vectors.ts";
import type { Vector } from "./vector.ts";

const text = readFileSync(new URL("messages.json", import.meta.url), "utf8");
const vectors = JSON.parse(text) as Vector[];
const byName = new Map(messages.map((message) => [message.typeName, message]));

describe("the test vectors", () => {
  it("are what the contract makes of them (to renew: npm run generate)", () => {
    const committed = new Set(vectors.map((vector) => JSON.stringify(vector)));
    const made = makeVectors();
    // Only the names of those that differ: whole vectors are long.
    expect(made.filter((vector) => !committed.has(JSON.stringify(vector))).map(({ name }) => name)).toEqual([]);
    expect(vectors).toHaveLength(made.length);
  });

  it("have names of their own, and cover every message", () => {
    expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
    expect([...byName.keys()].filter((name) => !vectors.some(({ message }) => message === name))).toEqual([]);
  });

  it.each(vectors)("$name", ({ message, wire, json, roundTrips, unknownFields }) => {
    const desc = byName.get(message) as DescMessage;
    const decoded = fromBinary(desc, Buffer.from(wire, "hex"));
    expect(toJson(desc, decoded)).toEqual(json);
    expect(decoded.$unknown !== undefined).toBe(unknownFields === true);
    const written = Buffer.from(toBinary(desc, fromJson(desc, json))).toString("hex");
    // What nobody writes differs from what everybody writes, or it would be no odd vector.
    if (roundTrips) expect([written, Buffer.from(toBinary(desc, decoded)).toString("hex")]).toEqual([wire, wire]);
  });
});
