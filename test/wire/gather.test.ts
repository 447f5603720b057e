import { create, ScalarType, toBinary } from "@bufbuild/protobuf";
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import {
  DownloadResponseSchema,
  file_yonder_workspace_v1_exec_service as execService,
  file_yonder_workspace_v1_file_service as fileService,
} from "@yonder/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gather, heavy } from "../../wire/src/gather.ts";

const types = [...fileService.messages, ...execService.messages];

describe("gather", () => {
  test("makes the bytes of toBinary of any message of the contract", () => {
    let gathered = 0;
    fc.assert(
      fc.property(fc.constantFrom(...types).chain(withMessage), ({ type, message }) => {
        const parts = gather(type, message);
        if (parts === undefined) return;
        gathered += 1;
        const bytes = Buffer.concat(parts.parts);
        expect(bytes.length).toBe(parts.byteLength);
        expect(bytes.equals(toBinary(type, message))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    // The property says nothing where nothing is gathered.
    expect(gathered).toBeGreaterThan(200);
  });

  test("keeps large bytes by reference, and in three pieces", () => {
    const data = new Uint8Array(heavy.fromBytes).fill(7);
    const message = create(DownloadResponseSchema, {
      part: { case: "chunk", value: { offset: 5n, data, crc32: 9 } },
    });
    const { parts = [] } = gather(DownloadResponseSchema, message) ?? {};
    expect(parts).toHaveLength(3);
    expect(parts[1]).toBe(data);
  });

  test("leaves a message without large bytes to toBinary", () => {
    const data = new Uint8Array(heavy.fromBytes - 1);
    const message = create(DownloadResponseSchema, { part: { case: "chunk", value: { data } } });
    expect(gather(DownloadResponseSchema, message)).toBeUndefined();
  });

  test("keeps unknown fields, behind all that are known", () => {
    const message = create(DownloadResponseSchema, {
      part: { case: "chunk", value: { data: new Uint8Array(heavy.fromBytes) } },
    });
    const unknown = [{ no: 900, wireType: WireType.LengthDelimited, data: Uint8Array.of(2, 1, 2) }];
    message.$unknown = unknown;
    if (message.part.case === "chunk") message.part.value.$unknown = unknown;
    const { parts = [] } = gather(DownloadResponseSchema, message) ?? {};
    expect(Buffer.concat(parts).equals(toBinary(DownloadResponseSchema, message))).toBe(true);
  });
});

function withMessage(type: DescMessage): fc.Arbitrary<{ type: DescMessage; message: Message }> {
  return anyMessage(type, 3).map((message) => ({ type, message }));
}

function anyMessage(type: DescMessage, depth: number): fc.Arbitrary<Message> {
  const values = type.fields.map((field) =>
    fc.option(anyValue(field, depth), { nil: undefined }).map((value) => ({ field, value })),
  );
  return fc.tuple(...values).map((fields) => {
    const init: Record<string, unknown> = {};
    for (const { field, value } of fields) {
      if (value === undefined) continue;
      if (field.oneof === undefined) init[field.localName] = value;
      else init[field.oneof.localName] = { case: field.localName, value };
    }
    return create(type, init);
  });
}

function anyValue(field: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "scalar":
      return anyScalar(field.scalar);
    case "enum":
      return fc.constantFrom(...field.enum.values.map(({ number }) => number));
    case "message":
      return depth === 0 ? fc.constant(undefined) : anyMessage(field.message, depth - 1);
    case "map":
      return field.mapKind === "scalar"
        ? fc.dictionary(fc.string({ maxLength: 3 }), anyScalar(field.scalar), { maxKeys: 1 })
        : fc.constant({});
    case "list":
      if (field.listKind === "scalar") return fc.array(anyScalar(field.scalar), { maxLength: 3 });
      if (field.listKind === "enum") return fc.constant([]);
      return depth === 0 ? fc.constant([]) : fc.array(anyMessage(field.message, depth - 1), { maxLength: 3 });
  }
}

function anyScalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.BYTES:
      return fc
        .constantFrom(0, 1, 100, heavy.fromBytes - 1, heavy.fromBytes, 20_000)
        .map((length) => new Uint8Array(length).fill(length));
    case ScalarType.STRING:
      return fc.string();
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt(0n, 2n ** 64n - 1n);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.nat(0xffffffff);
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.constantFrom(0, 1.5, -2);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return fc.integer();
  }
}
