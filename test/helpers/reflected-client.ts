import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, loadSync } from "@grpc/proto-loader";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const reflectionProto = join(
  dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json")),
  "build/proto/grpc/reflection/v1/reflection.proto",
);

/** As a stock client shows messages: enums and 64-bit numbers as text. */
const loading = { enums: String, longs: String, keepCase: true, oneofs: true, defaults: true } as const;

type Stream = grpc.ClientDuplexStream<unknown, { file_descriptor_response: { file_descriptor_proto: Buffer[] } }>;

/** Asks the server which files define a service, and builds a client from its answer and nothing else. */
export async function reflectedClient(address: string, service: string, metadata: grpc.Metadata): Promise<grpc.Client> {
  const files = await definingFiles(address, service, metadata);
  const set = create(FileDescriptorSetSchema, {
    file: files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)),
  });
  const loaded = loadFileDescriptorSetFromBuffer(Buffer.from(toBinary(FileDescriptorSetSchema, set)), loading);
  return new (constructorOf(loaded, service))(address, grpc.credentials.createInsecure());
}

async function definingFiles(address: string, service: string, metadata: grpc.Metadata): Promise<Buffer[]> {
  const Reflection = constructorOf(
    loadSync(reflectionProto, { keepCase: true }),
    "grpc.reflection.v1.ServerReflection",
  );
  const client = new Reflection(address, grpc.credentials.createInsecure());
  try {
    const call = client["ServerReflectionInfo"] as (this: grpc.Client, metadata: grpc.Metadata) => Stream;
    const stream = call.call(client, metadata);
    stream.write({ file_containing_symbol: service });
    stream.end();
    const files: Buffer[] = [];
    for await (const answer of stream) files.push(...answer.file_descriptor_response.file_descriptor_proto);
    return files;
  } finally {
    client.close();
  }
}

type Constructor = new (address: string, credentials: grpc.ChannelCredentials) => grpc.Client & Record<string, unknown>;

function constructorOf(loaded: Parameters<typeof grpc.loadPackageDefinition>[0], name: string): Constructor {
  let found: unknown = grpc.loadPackageDefinition(loaded);
  for (const part of name.split(".")) found = (found as Record<string, unknown>)[part];
  return found as Constructor;
}
