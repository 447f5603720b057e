import { toBinary } from "@bufbuild/protobuf";
import type { DescFile, DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { DescriptorProto, EnumDescriptorProto, FieldDescriptorProto } from "@bufbuild/protobuf/wkt";

/** The files behind the services that are served, by everything that a client may know of them. */
export class DescriptorIndex {
  readonly services: readonly string[];
  readonly #fileByName = new Map<string, DescFile>();
  readonly #fileBySymbol = new Map<string, DescFile>();
  readonly #extensions = new Map<string, Map<number, DescFile>>();

  /** @param details files that no service imports, since their messages come as details of a status */
  constructor(services: readonly DescService[], details: readonly DescFile[] = []) {
    this.services = services.map(({ typeName }) => typeName).toSorted();
    for (const { file } of services) this.#addFile(file);
    for (const file of details) this.#addFile(file);
  }

  fileByName(name: string): DescFile | undefined {
    return this.#fileByName.get(name);
  }

  /** The file that declares a service, method, message, field, oneof, enum, enum value or extension. */
  fileBySymbol(symbol: string): DescFile | undefined {
    return this.#fileBySymbol.get(symbol);
  }

  fileByExtension(extendee: string, number: number): DescFile | undefined {
    return this.#extensions.get(extendee)?.get(number);
  }

  /** The numbers of the extensions of a message; undefined where there is no such message. */
  extensionNumbers(message: string): number[] | undefined {
    const numbers = this.#extensions.get(message);
    if (numbers !== undefined) return [...numbers.keys()].toSorted((a, b) => a - b);
    return this.#fileBySymbol.has(message) ? [] : undefined;
  }

  /** From the descriptor as protoc made it, which has what protobuf-es hides: the entries of maps are messages, too. */
  #addFile(file: DescFile): void {
    const { name, package: scope, messageType, enumType, extension, service } = file.proto;
    if (this.#fileByName.has(name)) return;
    this.#fileByName.set(name, file);
    for (const dependency of file.dependencies) this.#addFile(dependency);
    for (const message of messageType) this.#addMessage(message, scope, file);
    for (const desc of enumType) this.#addEnum(desc, scope, file);
    for (const field of extension) this.#addExtension(field, scope, file);
    for (const each of service) {
      const typeName = this.#addSymbol(scope, each.name, file);
      for (const method of each.method) this.#addSymbol(typeName, method.name, file);
    }
  }

  #addMessage(message: DescriptorProto, scope: string, file: DescFile): void {
    const typeName = this.#addSymbol(scope, message.name, file);
    for (const { name } of [...message.field, ...message.oneofDecl]) this.#addSymbol(typeName, name, file);
    for (const nested of message.nestedType) this.#addMessage(nested, typeName, file);
    for (const desc of message.enumType) this.#addEnum(desc, typeName, file);
    for (const field of message.extension) this.#addExtension(field, typeName, file);
  }

  #addEnum({ name, value }: EnumDescriptorProto, scope: string, file: DescFile): void {
    this.#addSymbol(scope, name, file);
    // An enum's values are its siblings, not its children.
    for (const each of value) this.#addSymbol(scope, each.name, file);
  }

  #addExtension({ name, extendee, number }: FieldDescriptorProto, scope: string, file: DescFile): void {
    this.#addSymbol(scope, name, file);
    const typeName = extendee.replace(/^\./, "");
    const numbers = this.#extensions.get(typeName) ?? new Map<number, DescFile>();
    this.#extensions.set(typeName, numbers.set(number, file));
  }

  #addSymbol(scope: string, name: string, file: DescFile): string {
    const symbol = scope === "" ? name : `${scope}.${name}`;
    this.#fileBySymbol.set(symbol, file);
    return symbol;
  }
}

/** A file and everything it imports, imports first, each serialized; files that `sent` has are left out and added to it. */
export function serializeWithDependencies(file: DescFile, sent: Set<string>): Uint8Array[] {
  if (sent.has(file.name)) return [];
  sent.add(file.name);
  return [
    ...file.dependencies.flatMap((dependency) => serializeWithDependencies(dependency, sent)),
    toBinary(FileDescriptorProtoSchema, file.proto),
  ];
}
