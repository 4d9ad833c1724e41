// Loaded into Azurite before anything else. Its clock is the number in a file, in milliseconds, so
// that a test can let a lease run out without waiting for it. It ends when its standard input does:
// with the tests, however they end.
const { readFileSync } = require("node:fs");

const RealDate = Date;
const now = () => Number(readFileSync(process.env.AZURITE_CLOCK, "utf8"));

globalThis.Date = class extends RealDate {
  constructor(...given) {
    given.length ? super(...given) : super(now());
  }
  static now() {
    return now();
  }
};

process.stdin.on("end", () => process.exit(0)).resume();
