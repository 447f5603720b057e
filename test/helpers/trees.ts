import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type {
  DownloadTreeFinished,
  DownloadTreeRequestSchema,
  FileService,
  FileUpload,
  TreeUploadHeaderSchema,
} from "@yonder/proto";

type Files = Client<typeof FileService>;

/** A tar stream as GNU tar writes it. */
export function gnuTar(directory: string, ...args: string[]): Buffer {
  return execFileSync("tar", ["-C", directory, "-c", ...args], {
    maxBuffer: 1024 ** 3,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

export function gnuUntar(directory: string, tar: Buffer): void {
  execFileSync("tar", ["-C", directory, "-x", "-p"], { input: tar });
}

export async function uploadTar(
  client: Files,
  header: MessageInitShape<typeof TreeUploadHeaderSchema>,
  tar: Buffer,
  pieceBytes = 256 * 1024,
): Promise<FileUpload> {
  async function* parts() {
    yield { part: { case: "header" as const, value: header } };
    for (let offset = 0; offset < tar.length; offset += pieceBytes) {
      const data = tar.subarray(offset, offset + pieceBytes);
      yield { part: { case: "chunk" as const, value: { offset: BigInt(offset), data, crc32: crc32(data) } } };
    }
    yield { part: { case: "finish" as const, value: { crc32: crc32(tar) } } };
  }
  const { upload } = await client.uploadTree(parts());
  if (upload === undefined) throw new Error("no upload in the reply");
  return upload;
}

export async function downloadTar(
  client: Files,
  request: MessageInitShape<typeof DownloadTreeRequestSchema>,
): Promise<{ tar: Buffer; finished: DownloadTreeFinished }> {
  const pieces: Buffer[] = [];
  let offset = 0;
  for await (const { part } of client.downloadTree(request)) {
    if (part.case === "finished") {
      const tar = Buffer.concat(pieces);
      if (crc32(tar) !== part.value.crc32 || BigInt(tar.length) !== part.value.sizeBytes) throw new Error("digest");
      return { tar, finished: part.value };
    }
    if (part.case !== "chunk") continue;
    const { data, crc32: digest } = part.value;
    if (part.value.offset !== BigInt(offset) || crc32(data) !== digest) throw new Error("chunk");
    offset += data.length;
    pieces.push(Buffer.from(data));
  }
  throw new Error("the stream broke off");
}

/** All of a tree that is to be kept: names, kinds, modes, times to the microsecond, contents and hard links. */
export function describeTree(directory: string): string[] {
  const lines: string[] = [];
  const inodes = new Map<bigint, string>();
  const visit = (path: Buffer, name: string): void => {
    const stats = lstatSync(path, { bigint: true });
    const mode = (stats.mode & 0o7777n).toString(8);
    const time = String(stats.mtimeNs / 1000n);
    if (stats.isSymbolicLink()) lines.push(`${name} ${time} -> ${readlinkSync(path, "latin1")}`);
    else if (stats.isDirectory()) lines.push(`${name}/ ${mode} ${time}`);
    else {
      const first = inodes.get(stats.ino) ?? name;
      inodes.set(stats.ino, first);
      lines.push(
        `${name} ${mode} ${time} ${stats.size} ${crc32(readFileSync(path))} ${first === name ? "" : `= ${first}`}`,
      );
    }
    if (!stats.isDirectory()) return;
    const names = readdirSync(path, { encoding: "latin1" }).toSorted();
    for (const entry of names) {
      const child = Buffer.concat([path, Buffer.from("/"), Buffer.from(entry, "latin1")]);
      visit(child, `${name}/${entry}`);
    }
  };
  visit(Buffer.from(directory), ".");
  return lines;
}
