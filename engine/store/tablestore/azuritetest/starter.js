// Runs Azurite until the standard input ends, which it does with the process
// that started this one.
const fs = require("fs");

process.stdin.once("end", () => process.kill(process.pid, "SIGTERM")).resume();
process.stdout.on("error", () => {}); // nobody is left to read it
process.once("exit", () => {
  if (process.env.REMOVE_AT_EXIT) {
    fs.rmSync(process.env.REMOVE_AT_EXIT, { recursive: true, force: true });
  }
});
require(process.argv[1]);
