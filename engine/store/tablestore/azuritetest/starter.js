// Runs Azurite until the standard input ends, which it does with the process
// that started this one.
const fs = require("fs");

process.stdin.once("end", () => process.kill(process.pid, "SIGTERM")).resume();
// A second signal must not cut the end short, nor one that comes before Azurite listens be lost.
process.on("SIGTERM", () => setTimeout(() => process.exit(), 5000).unref());
process.stdout.on("error", () => {}); // nobody is left to read it
process.once("exit", () => {
  if (process.env.REMOVE_AT_EXIT) {
    fs.rmSync(process.env.REMOVE_AT_EXIT, { recursive: true, force: true });
  }
});
require(process.argv[1]);
