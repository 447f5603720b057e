/** The server's own command line: its arguments, its help and its exit codes. */
export { describeServe, serve } from "@yonder/server";
