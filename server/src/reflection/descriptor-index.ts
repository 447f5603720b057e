import { toBinary } from "@bufbuild/protobuf";
import type { DescEnum, DescExtension, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

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

  #addFile(file: DescFile): void {
    // protobuf-es leaves ".proto" off the name.
    const name = `${file.name}.proto`;
    if (this.#fileByName.has(name)) return;
    this.#fileByName.set(name, file);
    for (const dependency of file.dependencies) this.#addFile(dependency);
    for (const service of file.services) {
      this.#fileBySymbol.set(service.typeName, file);
      for (const method of service.methods) this.#fileBySymbol.set(`${service.typeName}.${method.name}`, file);
    }
    this.#addTypes(file, file);
  }

  #addTypes(parent: DescFile | DescMessage, file: DescFile): void {
    for (const desc of parent.kind === "file" ? parent.messages : parent.nestedMessages) this.#addMessage(desc, file);
    for (const desc of parent.kind === "file" ? parent.enums : parent.nestedEnums) this.#addEnum(desc, file);
    for (const desc of parent.kind === "file" ? parent.extensions : parent.nestedExtensions)
      this.#addExtension(desc, file);
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#fileBySymbol.set(message.typeName, file);
    for (const { name } of [...message.fields, ...message.oneofs])
      this.#fileBySymbol.set(`${message.typeName}.${name}`, file);
    this.#addTypes(message, file);
  }

  #addEnum(desc: DescEnum, file: DescFile): void {
    this.#fileBySymbol.set(desc.typeName, file);
    // An enum's values are siblings of the enum, not its children.
    const scope = desc.typeName.slice(0, desc.typeName.lastIndexOf(".") + 1);
    for (const { name } of desc.values) this.#fileBySymbol.set(`${scope}${name}`, file);
  }

  #addExtension(desc: DescExtension, file: DescFile): void {
    this.#fileBySymbol.set(desc.typeName, file);
    const numbers = this.#extensions.get(desc.extendee.typeName) ?? new Map<number, DescFile>();
    numbers.set(desc.number, file);
    this.#extensions.set(desc.extendee.typeName, numbers);
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
