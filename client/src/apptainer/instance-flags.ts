import { bytes } from "../option-rules.ts";
import type { ApptainerWorkspaceOptions } from "./options.ts";
import type { Bind } from "./settings.ts";

/** What `apptainer instance start` is told. Nothing secret: every user of the machine can read it. */
export function instanceFlags(
  options: ApptainerWorkspaceOptions,
  settings: { readonly binds: readonly Bind[]; readonly overlay: string | undefined; readonly temporary: string },
): string[] {
  const { enableDockerCompat = true, useFakeroot = process.getuid?.() !== 0, enableGpu = false } = options;
  const { disableMountLocations = ["hostfs", "bind-paths"] } = options;
  const { overlay } = settings;
  return [
    "--cleanenv",
    // What --compat stands for, but for a place for changes of files, of which there may be only one.
    ...(enableDockerCompat
      ? ["--containall", "--no-init", "--no-umask", "--no-eval", "--workdir", settings.temporary]
      : []),
    ...(overlay === undefined ? (enableDockerCompat ? ["--writable-tmpfs"] : []) : ["--overlay", overlay]),
    ...(useFakeroot ? ["--fakeroot"] : []),
    ...(disableMountLocations.length > 0 ? ["--no-mount", disableMountLocations.join(",")] : []),
    ...(enableGpu === false ? [] : [enableGpu === "rocm" ? "--rocm" : "--nv"]),
    ...(options.network === "none" ? ["--net", "--network", "none"] : []),
    ...(options.memory === undefined ? [] : ["--memory", String(bytes("memory", options.memory))]),
    ...(options.cpus === undefined ? [] : ["--cpus", String(options.cpus)]),
    ...(options.pids === undefined ? [] : ["--pids-limit", String(options.pids)]),
    ...settings.binds.flatMap((bind) => ["--mount", mountOf(bind)]),
  ];
}

/** Fields of CSV, so that paths may have commas, colons and quotes. */
function mountOf({ source, target, readOnly }: Bind): string {
  const fields = ["type=bind", `source=${source}`, `destination=${target}`, ...(readOnly ? ["ro"] : [])];
  return fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
