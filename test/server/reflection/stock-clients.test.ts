import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import type { ServiceClientConstructor, ServiceError } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, loadSync } from "@grpc/proto-loader";
import { describe, expect, onTestFinished, test } from "vitest";
import { buf } from "../../helpers/buf.ts";
import { openTestEdge } from "../../helpers/edge.ts";

const services = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "yonder.workspace.v1.ExecService",
  "yonder.workspace.v1.FileService",
  "yonder.workspace.v1.WorkspaceService",
];

const key = "a-key-of-this-test";

async function* exec() {
  yield { event: { event: { case: "started", value: { execId: "x", pid: 7 } } } } as const;
  yield { event: { event: { case: "output", value: { data: Buffer.from("hello") } } } } as const;
}

interface ReflectionReply {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
  errorResponse?: { errorCode: number };
}

/** Asks over one stream, one question after the other. */
async function reflect(port: number, version: "v1" | "v1alpha", questions: object[]): Promise<ReflectionReply[]> {
  const proto = new URL(
    `../../../node_modules/@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`,
    import.meta.url,
  );
  const definition = loadSync(fileURLToPath(proto), { defaults: false });
  const Reflection = definition[`grpc.reflection.${version}.ServerReflection`] as never;
  const client = newClient(Reflection, port);
  const call = (client as never as { serverReflectionInfo(metadata: Metadata): Duplex }).serverReflectionInfo(
    withKey(),
  );
  const replies: ReflectionReply[] = [];
  call.write(questions[0] ?? {});
  return await new Promise((resolve, reject) => {
    call.on("error", reject).on("end", () => resolve(replies));
    call.on("data", (reply) => {
      replies.push(reply as ReflectionReply);
      const next = questions[replies.length];
      if (next === undefined) call.end();
      else call.write(next);
    });
  });
}

interface Duplex {
  write(message: object): void;
  end(): void;
  on(event: string, listener: (value: unknown) => void): this;
}

function newClient(definition: never, port: number) {
  const Client = Object.values(loadPackageDefinition({ "package.Client": definition }))[0] as Record<string, unknown>;
  const client = new (Client["Client"] as ServiceClientConstructor)(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return client;
}

function withKey(): Metadata {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${key}`);
  return metadata;
}

describe.each(["v1", "v1alpha"] as const)("grpc-js with reflection %s", (version) => {
  test("lists the services", async () => {
    const { port } = await openTestEdge({ apiKeys: [key] });
    const [reply] = await reflect(port, version, [{ listServices: "" }]);
    expect(reply?.listServicesResponse?.service.map(({ name }) => name)).toEqual(services);
  });

  test("calls the services with nothing at hand but what reflection told", async () => {
    const { port, workspaceId } = await openTestEdge({ apiKeys: [key], exec: { exec } });
    const replies = await reflect(port, version, [
      { fileContainingSymbol: "yonder.workspace.v1.WorkspaceService" },
      { fileContainingSymbol: "yonder.workspace.v1.ExecService.Exec" },
    ]);
    const files = replies.flatMap((reply) => reply.fileDescriptorResponse?.fileDescriptorProto ?? []);
    const definition = loadFileDescriptorSetFromBuffer(descriptorSet(files));

    const workspace = newClient(definition["yonder.workspace.v1.WorkspaceService"] as never, port);
    const info = await new Promise((resolve, reject) => {
      (workspace as never as Record<string, (...args: unknown[]) => void>)["GetInfo"]?.(
        {},
        withKey(),
        (error: ServiceError | null, reply: unknown) => (error === null ? resolve(reply) : reject(error)),
      );
    });
    expect(info).toMatchObject({ workspace_id: workspaceId });

    const client = newClient(definition["yonder.workspace.v1.ExecService"] as never, port);
    const call = (client as never as { Exec(request: object, metadata: Metadata): Duplex }).Exec({}, withKey());
    const events: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      call.on("data", (event) => events.push(event)).on("error", reject);
      call.on("end", () => resolve(undefined));
    });
    expect(events).toMatchObject([
      { event: { started: { exec_id: "x", pid: 7 } } },
      { event: { output: { data: Buffer.from("hello") } } },
    ]);
  });

  test("a file is found by its name and by every symbol in it, and sent once with what it imports", async () => {
    const { port } = await openTestEdge({ apiKeys: [key] });
    const [byName, again, ...bySymbol] = await reflect(port, version, [
      { fileByFilename: "yonder/workspace/v1/exec.proto" },
      { fileByFilename: "yonder/workspace/v1/exec.proto" },
    ]);
    expect(bySymbol).toEqual([]);
    // With duration and timestamp of google.protobuf.
    expect(byName?.fileDescriptorResponse?.fileDescriptorProto.length).toBe(3);
    expect(again?.fileDescriptorResponse?.fileDescriptorProto ?? []).toEqual([]);
    const symbols = [
      "yonder.workspace.v1.ExecService",
      "yonder.workspace.v1.ExecService.StartExec",
      "yonder.workspace.v1.ExecRequest",
      "yonder.workspace.v1.ExecRequest.exec_id",
      "yonder.workspace.v1.ExecRequest.program",
      "yonder.workspace.v1.ExecRequest.LabelsEntry",
      "yonder.workspace.v1.ExecState",
      "yonder.workspace.v1.EXEC_STATE_RUNNING",
      "yonder.workspace.v1.ErrorDetail",
      "google.protobuf.Duration",
    ];
    for (const fileContainingSymbol of symbols) {
      const [reply] = await reflect(port, version, [{ fileContainingSymbol }]);
      expect({ fileContainingSymbol, ...reply }).toHaveProperty("fileDescriptorResponse");
    }
  });

  test("what is not there is answered with NOT_FOUND, and the stream goes on", async () => {
    const { port } = await openTestEdge({ apiKeys: [key] });
    const replies = await reflect(port, version, [
      { fileByFilename: "nowhere.proto" },
      { fileContainingSymbol: "no.Such" },
      { fileContainingExtension: { containingType: "no.Such", extensionNumber: 1 } },
      { allExtensionNumbersOfType: "no.Such" },
      {},
      { allExtensionNumbersOfType: "yonder.workspace.v1.Exec" },
      { listServices: "" },
    ]);
    expect(replies.map((reply) => reply.errorResponse?.errorCode)).toEqual([5, 5, 5, 5, 3, undefined, undefined]);
  });
});

function descriptorSet(files: readonly Buffer[]): Buffer {
  // A set is its files, each as field 1: put together as bytes, so that they stay as they were sent.
  const parts = files.flatMap((file) => [Buffer.from([0x0a, ...varint(file.length)]), file]);
  return Buffer.concat([toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema)), ...parts]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

describe.each(["grpc", "grpcweb", "connect"])("buf curl over %s", (protocol) => {
  const header = ["--header", `X-API-Key: ${key}`, "--reflect-header", `X-API-Key: ${key}`];

  test("calls with no schema at hand", async () => {
    const { url, workspaceId } = await openTestEdge({ apiKeys: [key], exec: { exec } });
    const curl = async (method: string, data: string): Promise<string> =>
      await buf(
        "curl",
        "--http2-prior-knowledge",
        "--protocol",
        protocol,
        ...header,
        "--data",
        data,
        `${url}/${method}`,
      );
    expect(JSON.parse(await curl("yonder.workspace.v1.WorkspaceService/GetInfo", "{}"))).toMatchObject({ workspaceId });
    const events = await curl("yonder.workspace.v1.ExecService/Exec", '{"command":"true"}');
    expect(events).toMatch(/"started"[^]*"output"/);
  });
});

test.each(["grpc-v1", "grpc-v1alpha"])("buf curl lists services and methods with %s", async (reflectProtocol) => {
  const { url } = await openTestEdge();
  const curl = async (what: string): Promise<string[]> =>
    (await buf("curl", "--http2-prior-knowledge", "--reflect-protocol", reflectProtocol, what, url)).trim().split("\n");
  expect(await curl("--list-services")).toEqual(services);
  expect(await curl("--list-methods")).toContain("yonder.workspace.v1.ExecService/SendSignal");
});
