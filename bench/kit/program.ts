/** What a contender is asked to run: a shell line, or a program with its arguments. */
export type Program = { readonly command: string } | { readonly args: readonly string[] };

/** The same as an argument list, for contenders that know no shell lines. */
export function argvOf(program: Program): string[] {
  return "command" in program ? ["bash", "-c", program.command] : [...program.args];
}

/** The same for people. */
export function describeProgram(program: Program): string {
  return argvOf(program).join(" ");
}
