/** An error as the system would have thrown it, where we notice first. */
export function systemError(code: "EEXIST" | "ENOTDIR"): Error {
  return Object.assign(new Error(code), { code, errno: -numbers[code] });
}

const numbers = { EEXIST: 17, ENOTDIR: 20 };
