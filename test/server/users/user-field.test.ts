import { create } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import {
  FileService,
  GitService,
  StatRequestSchema,
  UploadRequestSchema,
  UploadTreeRequestSchema,
  WriteChunkRequestSchema,
} from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { userField } from "../../../server/src/users/user-field.ts";

describe("the user of a request", () => {
  const methods = [...FileService.methods, ...GitService.methods];

  test.each(methods.map(({ name, input }) => [name, input] as const))("can be named in %s", (_, input) => {
    const namesUser = ({ fields }: DescMessage): boolean => fields.some(({ name }) => name === "user");
    const header = input.fields.find(({ name }) => name === "header")?.message;
    expect(namesUser(input) || (header !== undefined && namesUser(header))).toBe(true);
  });

  test("is the request's, or its header's, and empty where neither says", () => {
    const user = "dev";
    const file = { case: "file" as const, value: { user } };
    const header = { case: "header" as const, value: { user } };
    expect(userField(create(StatRequestSchema, { user }))).toBe(user);
    expect(userField(create(StatRequestSchema, {}))).toBe("");
    expect(userField(create(UploadRequestSchema, { part: header }))).toBe(user);
    expect(userField(create(UploadTreeRequestSchema, { part: header }))).toBe(user);
    expect(userField(create(UploadRequestSchema, { part: { case: "chunk", value: {} } }))).toBe("");
    expect(userField(create(WriteChunkRequestSchema, { header: file }))).toBe(user);
    expect(userField(create(WriteChunkRequestSchema, { header: file, user }))).toBe(user);
    expect(userField(create(WriteChunkRequestSchema, { user }))).toBe(user);
  });

  test("cannot be two, or hold a NUL byte", () => {
    const file = { case: "file" as const, value: { user: "dev" } };
    expect(() => userField(create(WriteChunkRequestSchema, { header: file, user: "root" }))).toThrow(/^user /);
    expect(() => userField(create(StatRequestSchema, { user: "a\0b" }))).toThrow(/NUL/);
  });
});
