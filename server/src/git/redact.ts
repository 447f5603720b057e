const HIDDEN = "***";

/** The text without secrets: those that are named, and what stands before an "@" in a URL. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/'"@]+@/gi, `$1${HIDDEN}@`);
  for (const secret of secrets) {
    if (secret === "") continue;
    // Git escapes what it puts into a URL.
    for (const form of new Set([secret, encodeURIComponent(secret)])) clean = clean.replaceAll(form, HIDDEN);
  }
  return clean;
}
