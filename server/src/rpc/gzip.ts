import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { compressionGzip } from "@connectrpc/connect-node";

const compress = promisify(gzipCallback);

/**
 * gzip at its fastest. Connect's own runs at level 6 and would offer brotli too, whose level 11 takes half a second of
 * CPU for 1 MiB where this takes 9 ms.
 */
export const fastGzip: typeof compressionGzip = {
  name: "gzip",
  async compress(bytes) {
    return await compress(bytes, { level: 1 });
  },
  decompress: (bytes, readMaxBytes) => compressionGzip.decompress(bytes, readMaxBytes),
};
