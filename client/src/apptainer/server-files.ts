import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Unsupported } from "../errors.ts";
import { quote } from "../exec/quote.ts";
import { existing } from "./settings.ts";
import type { Bind } from "./settings.ts";

/** A server to run inside: what has to be seen there, and how the start script calls it. */
export interface ServerFiles {
  readonly binds: readonly Bind[];
  /** For a shell. */
  readonly command: string;
}

/** Where a portable server expects to be. */
const place = "/opt/yonder";
/** A place of its own: images may have links in theirs. */
const ownPlace = "/opt/yonder-bound";

export async function serverFiles(bindServer: boolean | string): Promise<ServerFiles> {
  if (bindServer === false) return { binds: [], command: "yonder serve" };
  return bindServer === true ? ownServer() : await portableServer(resolve(bindServer));
}

/** A directory that the image's build made for being copied elsewhere. */
async function portableServer(directory: string): Promise<ServerFiles> {
  const inner = join(directory, place);
  const source = existsSync(join(inner, "bin/yonder")) ? inner : directory;
  await existing("bindServer", join(source, "bin/yonder"));
  return { binds: [readOnly(source, place)], command: `${place}/bin/yonder serve` };
}

/** The server that is installed beside this package, and the Node that runs this program. */
function ownServer(): ServerFiles {
  const entry = realpathSync(findServer());
  const root = rootOf(entry);
  const module = join(ownPlace, "lib", relative(root, entry));
  const program = `import { serve } from ${JSON.stringify(module)}; await serve(process.argv.slice(1));`;
  return {
    binds: [readOnly(root, `${ownPlace}/lib`), readOnly(realpathSync(process.execPath), `${ownPlace}/node`)],
    command: `${ownPlace}/node --input-type=module --eval ${quote(program)} --`,
  };
}

function findServer(): string {
  try {
    return createRequire(import.meta.url).resolve("@yonder/server");
  } catch (cause) {
    throw new Unsupported("bindServer: true needs the package @yonder/server here", {
      reason: "NOT_SUPPORTED",
      subject: "@yonder/server",
      remedy: "install the package @yonder/server beside @yonder/client, or name a directory that has a server",
      feature: "bindServer",
      cause,
    });
  }
}

/** The directory that has the server and all that it loads: the outermost node_modules, or a checkout of this project. */
function rootOf(entry: string): string {
  const parts = entry.split(sep);
  const index = parts.indexOf("node_modules");
  if (index >= 0) return parts.slice(0, index + 1).join(sep);
  let directory = dirname(entry);
  while (!existsSync(join(directory, "node_modules/@yonder/server")) && directory !== dirname(directory)) {
    directory = dirname(directory);
  }
  return directory;
}

function readOnly(source: string, target: string): Bind {
  return { source, target, readOnly: true };
}
