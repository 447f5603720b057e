import type { RemoteWorkspaceOptions } from "../../client/src/index.ts";

export type Wire = Required<Pick<RemoteWorkspaceOptions, "protocol" | "httpVersion">>;

export type NamedWire = readonly [name: string, wire: Wire];

/** The ways in which the client can call, by name. The first is its default. */
export const wires: readonly NamedWire[] = [
  ["gRPC over HTTP/2", { protocol: "grpc", httpVersion: "2" }],
  ["Connect over HTTP/2", { protocol: "connect", httpVersion: "2" }],
  ["Connect over HTTP/1.1", { protocol: "connect", httpVersion: "1.1" }],
  ["gRPC-Web over HTTP/1.1", { protocol: "grpc-web", httpVersion: "1.1" }],
];
