import { lstatSync, readlinkSync } from "node:fs";
import { QuickDisk } from "@yonder/transfer";
import { fileInfo, readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Place } from "./place.ts";

/**
 * Looks at single files on this thread where their directory is on a disk of this machine: to ask another thread takes
 * ten times as long as the look. What a directory is on, another thread is asked, and believed for a second only, since
 * something can be mounted there.
 */
export class QuickLooks {
  readonly #disks = new Map<string, { disk: QuickDisk | undefined; until: number }>();

  /** What is at a place that the kernel is given by its path; of a link, with `follow`, what it leads to. */
  async readInfo(place: Place, follow: boolean): Promise<FileInfo> {
    const disk = this.#diskOf(place.directory);
    if (disk?.isQuick === true) {
      const info = await disk.run(() => readInfoHere(place));
      // A link may lead to any disk.
      if (!follow || info.kind !== "SYMLINK") return info;
    }
    return await readInfo(place.at, place.path, follow);
  }

  /** Undefined where it is not known yet. */
  #diskOf(directory: PathBytes): QuickDisk | undefined {
    const key = directory.toString("latin1");
    const known = this.#disks.get(key);
    if (known !== undefined && performance.now() < known.until) return known.disk;
    void this.#ask(key, directory);
    return undefined;
  }

  async #ask(key: string, directory: PathBytes): Promise<void> {
    if (this.#disks.size >= maxDirectories) this.#disks.clear();
    // Asked once, however long the answer takes.
    const asked: { disk: QuickDisk | undefined; until: number } = { disk: undefined, until: Infinity };
    this.#disks.set(key, asked);
    asked.disk = await QuickDisk.under(directory);
    asked.until = performance.now() + believedMs;
  }
}

function readInfoHere({ at, path }: Place): FileInfo {
  const info = fileInfo(path, lstatSync(at, { bigint: true }));
  return info.kind === "SYMLINK" ? { ...info, linkTarget: readlinkSync(at, { encoding: "buffer" }) } : info;
}

const believedMs = 1_000;
const maxDirectories = 1_000;
