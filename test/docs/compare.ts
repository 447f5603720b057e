/** What differs from run to run, by the names that JSON gives it. */
const varying = new Set([
  "pid",
  "signalledProcesses",
  "instanceId",
  "workspaceId",
  "startTime",
  "endTime",
  "duration",
  "device",
  "etag",
  "inode",
]);

/** Replaces what differs from run to run, so that two outputs can be compared. */
export function settled(output: string, language: string): unknown {
  if (language !== "json") return output.trim().replaceAll('": ', '":');
  // A stream prints one value after the other.
  return output
    .trim()
    .split(/\n(?=[{[])/)
    .map((value) => JSON.parse(value, (key, inner: unknown) => (isVarying(key) ? typeof inner : inner)) as unknown);
}

function isVarying(key: string): boolean {
  return varying.has(key) || /(?:[tT]ime|Id|Ids|Token)$/.test(key);
}
