import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { DescriptorIndex, serializeWithDependencies } from "../../../server/src/reflection/descriptor-index.ts";

/** The contract has no extensions, so this is made up: a message that two extensions extend, and a service. */
function madeUpService() {
  const extension = (name: string, number: number) => ({
    name,
    number,
    extendee: ".made.up.Base",
    type: Type.STRING,
    label: Label.OPTIONAL,
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "made/up.proto",
    package: "made.up",
    messageType: [
      { name: "Base", extensionRange: [{ start: 100, end: 200 }] },
      { name: "Outer", extension: [extension("inner", 102)] },
    ],
    extension: [extension("outer", 101)],
    service: [
      { name: "Service", method: [{ name: "Call", inputType: ".made.up.Base", outputType: ".made.up.Outer" }] },
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  const service = registry.getService("made.up.Service");
  if (service === undefined) throw new Error("the service is missing");
  return service;
}

test("extensions are found by what they extend, by name and by number", () => {
  const index = new DescriptorIndex([madeUpService()]);
  expect(index.extensionNumbers("made.up.Base")).toEqual([101, 102]);
  expect(index.extensionNumbers("made.up.Outer")).toEqual([]);
  expect(index.extensionNumbers("made.up.Nothing")).toBeUndefined();
  expect(index.fileByExtension("made.up.Base", 102)?.proto.name).toBe("made/up.proto");
  expect(index.fileByExtension("made.up.Base", 103)).toBeUndefined();
  expect(index.fileBySymbol("made.up.outer")?.proto.name).toBe("made/up.proto");
  expect(index.fileBySymbol("made.up.Outer.inner")?.proto.name).toBe("made/up.proto");
});

test("a file that was sent is not sent again", () => {
  const { file } = madeUpService();
  const sent = new Set<string>();
  expect(serializeWithDependencies(file, sent)).toHaveLength(1);
  expect(serializeWithDependencies(file, sent)).toHaveLength(0);
});
