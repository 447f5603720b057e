import type { ConnectRouterOptions } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Http2ServerRequest } from "node:http2";
import { envelope, envelopeBytes } from "./envelope.ts";

/** As Connect's own: less is not worth compressing. */
const defaultMinBytes = 1024;
/** Where not even the largest message is to be compressed. */
const never = 0xffffffff;

type Options = Pick<ConnectRouterOptions, "acceptCompression" | "compressMinBytes">;

/** What compresses the replies to one request. Undefined: nothing does. */
export function compressionFor({ headers }: Http2ServerRequest, options: Options): Compression | undefined {
  const [compression] = options.acceptCompression ?? [];
  if (compression === undefined || options.compressMinBytes === never) return undefined;
  const accepted = String(headers["grpc-accept-encoding"] ?? "").split(",");
  return accepted.some((name) => name.trim() === compression.name) ? compression : undefined;
}

/** The message in its envelope, compressed if it is large enough. */
export async function compressed(
  pieces: readonly Uint8Array[],
  compression: Compression,
  { compressMinBytes = defaultMinBytes }: Options,
): Promise<readonly Uint8Array[]> {
  const byteLength = pieces.reduce((sum, { length }) => sum + length, 0) - envelopeBytes;
  if (byteLength < compressMinBytes) return pieces;
  return [envelope(await compression.compress(Buffer.concat(pieces).subarray(envelopeBytes)), 1)];
}
