// No name in the contract may be a keyword, or a method that a generator derives, in a language that people generate
// stubs for. Some generators escape such a name, each in its own way, and some write code that does not compile.
import { fromBinary } from "@bufbuild/protobuf";
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { fileNames, memberNames, methodNames } from "./language-names.mjs";

/** Says what collides in an image of buf's (`buf build -o -`), a line each. Empty: nothing does. */
export function nameProblems(image) {
  const { file: files } = fromBinary(FileDescriptorSetSchema, image);
  const own = files.filter(({ package: name }) => !name.startsWith("google."));
  const problems = [
    ...own.flatMap((file) => file.messageType.flatMap((message) => messageProblems(message, message.name))),
    ...own.flatMap(({ service }) => service.flatMap(serviceProblems)),
    ...typeProblems(own),
    ...own.flatMap(({ enumType }) => enumType.flatMap(enumProblems)),
  ];
  return problems.filter((problem) => !settled.some((name) => problem.startsWith(`${name}:`)));
}

/** Names that were agreed on and do compile: tonic writes `r#move`, and C's macro for stdin is but its own name. */
const settled = ["FileService.Move", "ExecRequest.stdin"];

/** Each language's members of one class: two fields may not ask for the same one, nor for one that is always there. */
function messageProblems(message, path) {
  const members = membersOf(message);
  const problems = Object.entries(memberNames).flatMap(([language, { reserved, derive }]) => {
    const owners = new Map();
    return members.flatMap((member) =>
      [...new Set(derive(member, message.name))].flatMap((name) => {
        if (reserved.has(name)) return `${path}.${member.name}: ${language} has \`${name}\` already`;
        const owner = owners.get(name);
        owners.set(name, member.name);
        if (owner === undefined || owner === member.name) return [];
        return `${path}.${member.name} and .${owner}: ${language} makes \`${name}\` of both`;
      }),
    );
  });
  const nested = message.nestedType.filter(({ options }) => options?.mapEntry !== true);
  return [...problems, ...nested.flatMap((inner) => messageProblems(inner, `${path}.${inner.name}`))];
}

function membersOf(message) {
  const maps = new Set(message.nestedType.filter(({ options }) => options?.mapEntry === true).map(({ name }) => name));
  const fields = message.field.map((field) => ({
    name: field.name,
    kind: kindOf(field, maps),
    isRepeated: field.label === FieldDescriptorProto_Label.REPEATED,
    hasPresence: field.proto3Optional,
  }));
  // A field that is `optional` has a oneof of its own, which no language shows.
  const hidden = new Set(message.field.filter((field) => field.proto3Optional).map(({ oneofIndex }) => oneofIndex));
  const oneofs = message.oneofDecl.filter((_, index) => !hidden.has(index));
  return [...fields, ...oneofs.map(({ name }) => ({ name, kind: "oneof", isRepeated: false, hasPresence: false }))];
}

function kindOf({ type, typeName }, maps) {
  if (type === FieldDescriptorProto_Type.STRING) return "string";
  if (type === FieldDescriptorProto_Type.ENUM) return "enum";
  if (type !== FieldDescriptorProto_Type.MESSAGE) return "scalar";
  return maps.has(typeName.split(".").at(-1)) ? "map" : "message";
}

function serviceProblems(service) {
  return Object.entries(methodNames).flatMap(([language, { reserved, spell }]) =>
    service.method
      .map(({ name }) => ({ name, spelt: spell(name) }))
      .filter(({ spelt }) => reserved.has(spelt))
      .map(({ name, spelt }) => `${service.name}.${name}: ${language} has \`${spelt}\` already`),
  );
}

/** Messages, enumerations, services and what is derived of them share one room, also where case does not count. */
function typeProblems(files) {
  const types = files.flatMap(({ messageType, enumType }) => [...messageType, ...enumType].map(({ name }) => name));
  const derived = files.flatMap(({ service, options }) => [
    ...service.flatMap(({ name }) => [name, ...fileNames.ofService(name)]),
    ...(options?.javaOuterClassname ? [options.javaOuterClassname] : []),
  ]);
  const owners = new Map();
  return [...types, ...derived].flatMap((name) => {
    const problems = fileNames.reserved.has(name) ? [`${name}: is a type of a language's own`] : [];
    const owner = owners.get(name.toLowerCase());
    owners.set(name.toLowerCase(), name);
    return owner === undefined
      ? problems
      : [...problems, `${name} and ${owner}: are one name where case does not count`];
  });
}

/** Many languages leave the enumeration's own name out of its values' names. */
function enumProblems({ name, value }) {
  const prefix = `${name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toUpperCase()}_`;
  return value
    .map((each) => each.name.replace(prefix, ""))
    .filter((short) => /^[0-9]/.test(short) || fileNames.reservedValues.has(short))
    .map((short) => `${name}.${short}: is no name in a language that leaves "${prefix}" out`);
}
