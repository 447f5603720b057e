export { coalesce } from "./coalesce.ts";
export { combineCrc32, crc32 } from "./crc32.ts";
export { makeDirectories } from "./make-directories.ts";
export { QuickDisk } from "./quick-disk.ts";
export type { TarHead } from "./tar-block.ts";
export { packedSize, tarEnd, tarFile, tarHeader, tarPadding } from "./tar-header.ts";
export type { TarEntry } from "./tar-header.ts";
export { TarReader } from "./tar-reader.ts";
