/** The server's own command line: its arguments, its help and its exit codes. */
export { serve } from "@yonder/server";
