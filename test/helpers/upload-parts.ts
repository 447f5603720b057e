import { crc32 } from "node:zlib";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { UploadFinishSchema, UploadHeaderSchema, UploadRequestSchema } from "@yonder/proto";

/** What an Upload stream is made of. */
export type UploadPart = MessageInitShape<typeof UploadRequestSchema>;

/** The first part. */
export function header(value: MessageInitShape<typeof UploadHeaderSchema>): UploadPart {
  return { part: { case: "header", value } };
}

/** Bytes, by default with the right digest. */
export function chunk(data: Uint8Array, offset: number, digest = crc32(data)): UploadPart {
  return { part: { case: "chunk", value: { offset: BigInt(offset), data, crc32: digest } } };
}

/** The last part. */
export function finish(value: MessageInitShape<typeof UploadFinishSchema> = {}): UploadPart {
  return { part: { case: "finish", value } };
}

/** The stream of them. */
export async function* parts(...values: UploadPart[]): AsyncGenerator<UploadPart> {
  yield* values;
}
