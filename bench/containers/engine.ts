import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** The image that is measured; a clone makes it with `docker build -t yonder-workspace .` */
const image = process.env["YONDER_BENCH_IMAGE"] ?? "yonder-workspace";

/** The image and its size, or why nothing in containers can be measured here. */
export async function findImage(): Promise<
  { readonly image: string; readonly bytes: number } | { readonly why: string }
> {
  try {
    await docker("info");
  } catch {
    return { why: "left out: no Docker engine answers" };
  }
  try {
    return { image, bytes: Number(await docker("image", "inspect", "--format={{.Size}}", image)) };
  } catch {
    return { why: `left out: the engine has no image ${image}; docker build -t yonder-workspace . makes it` };
  }
}

/** Runs Docker's own command and answers what it printed. */
export async function docker(...args: string[]): Promise<string> {
  const child = spawn("docker", args, { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`docker ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}
