// Hands the question to the server over its private socket and prints the answer; fails where it has none.
import { connect } from "node:net";

const socket = connect(process.env.YONDER_ASKPASS_SOCKET ?? "");
const answer = [];
socket.on("error", () => process.exit(1));
socket.on("data", (chunk) => answer.push(chunk));
socket.on("end", () => {
  if (answer.length === 0) process.exit(1);
  process.stdout.write(Buffer.concat(answer));
});
socket.end(process.argv[2] ?? "");
